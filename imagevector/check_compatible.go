package imagevector

import (
	"crypto/x509"
	"encoding/json"
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
	p.checkConstraint(at, field("runtimeVersion"), s.RuntimeVersion)
	p.checkConstraint(at, field("targetVersion"), s.TargetVersion)
}

func (p *Problems) checkConstraint(at Position, field string, text *string) {
	if text == nil {
		return
	}
	if _, err := span.Constraint(*text); err != nil {
		// Gardener passes this value by pointer, and formats it as JSON, with < and > escaped.
		quoted, _ := json.Marshal(text)
		p.gardenerQuoted(at, Invalid, field, *text, string(quoted), err.Error())
	}
}

// checkCertificate adds the problems that Gardener finds in a bundle. Gardener
// checks only the first certificate.
func (p *Problems) checkCertificate(ca *CABundle, c config) {
	if ca == nil || ca.Inline == nil {
		return
	}
	at := Position{File: c.file}
	if block, _ := pem.Decode([]byte(*ca.Inline)); block != nil && block.Type == "CERTIFICATE" {
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
			if c.now().After(cert.NotAfter) {
				p.gardener(at, Invalid, "caBundle.inline", *ca.Inline, "certificate has expired")
			}
			return
		}
	}
	p.gardener(at, Invalid, "caBundle.inline", *ca.Inline, "not a valid PEM-encoded certificate")
}
