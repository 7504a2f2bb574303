package imagevector

import (
	"crypto/x509"
	"encoding/pem"

	"github.com/hyperkube/hyperkube/imagevector/internal/span"
)

// checkCompatible adds the problems that Gardener finds in entry i, in Gardener's
// order.
func (p *Problems) checkCompatible(s *Source, i int) {
	field := func(name string) string { return indexed("images", i) + "." + name }
	at := s.Position
	if s.Name == "" {
		p.gardener(at, Required, field("name"), "", "image name is required")
	}
	if s.Ref == nil && s.Repository == nil {
		p.gardener(at, Required, field("ref/repository"), "", "either image ref or repository+tag is required")
	}
	if s.Ref != nil {
		if *s.Ref == "" {
			p.gardener(at, Invalid, field("ref"), "", "ref must not be empty if specified")
		}
		if s.Repository != nil {
			p.gardener(at, Forbidden, field("repository"), "", "cannot specify repository when ref is set")
		}
		if s.Tag != nil {
			p.gardener(at, Forbidden, field("tag"), "", "cannot specify tag when ref is set")
		}
	} else {
		if s.Repository != nil && *s.Repository == "" {
			p.gardener(at, Invalid, field("repository"), "", "repository must not be empty if specified")
		}
		if s.Tag != nil && *s.Tag == "" {
			p.gardener(at, Invalid, field("tag"), "", "image tag must not be empty if specified")
		}
	}
	if s.RuntimeVersion != nil {
		if _, err := span.Constraint(*s.RuntimeVersion); err != nil {
			p.gardenerPointer(at, Invalid, field("runtimeVersion"), *s.RuntimeVersion, err.Error())
		}
	}
	if s.TargetVersion != nil {
		if _, err := span.Constraint(*s.TargetVersion); err != nil {
			p.gardenerPointer(at, Invalid, field("targetVersion"), *s.TargetVersion, err.Error())
		}
	}
}

// checkCertificate adds the problems that Gardener finds in a bundle. Gardener
// checks only the first certificate.
func (p *Problems) checkCertificate(ca *CABundle, c config) {
	if ca.Inline == nil {
		return
	}
	at := Position{File: c.file}
	if cert, ok := decodeCertificate(*ca.Inline); !ok {
		p.gardener(at, Invalid, "caBundle.inline", *ca.Inline, "not a valid PEM-encoded certificate")
	} else if c.now().After(cert.NotAfter) {
		p.gardener(at, Invalid, "caBundle.inline", *ca.Inline, "certificate has expired")
	}
}

func decodeCertificate(text string) (*x509.Certificate, bool) {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, false
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	return cert, err == nil
}

// ValidateCompatible validates sources as Gardener does. The error is [Problems],
// with the text of Gardener.
func ValidateCompatible(sources []Source) error {
	var problems Problems
	for i := range sources {
		problems.checkCompatible(&sources[i], i)
	}
	if len(problems) > 0 {
		return problems
	}
	return nil
}
