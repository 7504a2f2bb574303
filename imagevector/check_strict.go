package imagevector

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"time"
	"unicode"

	"gopkg.in/yaml.v3"

	"github.com/hyperkube/hyperkube/imagevector/internal/span"
)

// checker collects the problems of a single entry.
type checker struct {
	problems *Problems
	source   *Source
	nodes    *nodes // without any for an entry that is not from a file
	index    int
}

func checkSource(problems *Problems, s *Source, nodes *nodes, index int) {
	c := checker{problems, s, nodes, index}
	c.name()
	c.image()
	c.constraint(fieldRuntimeVersion, s.RuntimeVersion)
	c.constraint(fieldTargetVersion, s.TargetVersion)
	c.architectures()
}

func (c *checker) add(field int, kind Kind, value *string, format string, args ...any) {
	p := Problem{Position: c.source.Position, Field: indexed("images", c.index) + "." + entryKeys()[field], Kind: kind, Message: fmt.Sprintf(format, args...)}
	if value != nil {
		p.Value = *value
	}
	if n := c.nodes[field]; n != nil {
		p.Line, p.Column = n.Line, n.Column
	}
	c.problems.add(p)
}

func (c *checker) name() {
	s := c.source
	// A name that is not a string is reported already.
	if n := c.nodes[fieldName]; s.Name == "" && (n == nil || n.Style != 0) {
		c.add(fieldName, Required, nil, "missing name")
	}
	if strings.ContainsFunc(s.Name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		c.add(fieldName, Invalid, &s.Name, "name %s has a space or control character", quoteShort(s.Name))
	}
}

func (c *checker) image() {
	s := c.source
	if s.Ref == nil && s.Repository == nil && c.nodes[fieldRef] == nil && c.nodes[fieldRepository] == nil {
		c.add(fieldRepository, Required, nil, "missing repository or ref")
	}
	if s.Ref != nil {
		if s.Repository != nil {
			c.add(fieldRepository, Forbidden, s.Repository, "repository is not allowed with ref")
		}
		if s.Tag != nil {
			c.add(fieldTag, Forbidden, s.Tag, "tag is not allowed with ref")
		}
	}
	for _, f := range []struct {
		field int
		value *string
		check func(string) string
	}{{fieldRef, s.Ref, checkRef}, {fieldRepository, s.Repository, checkRepository}, {fieldTag, s.Tag, checkTag}} {
		if f.value != nil {
			if problem := f.check(*f.value); problem != "" {
				c.add(f.field, Invalid, f.value, "%s: %s", quoteShort(*f.value), problem)
			}
		}
	}
	if s.Version != nil && *s.Version == "" {
		c.add(fieldVersion, Invalid, s.Version, "empty version: remove the key")
	}
}

func (c *checker) constraint(field int, text *string) {
	if text == nil {
		return
	}
	if n := c.nodes[field]; n != nil && n == c.nodes[fieldVersion] {
		field = fieldVersion // of the oldest generation
	}
	switch set, err := span.Constraint(*text); {
	case err != nil:
		c.add(field, Invalid, text, `parsing constraint %s: %v; want a constraint such as ">= 1.30, < 1.34", "1.30.x" or "= 1.30.2"`, quoteShort(*text), err)
	case len(set) == 0:
		c.add(field, Invalid, text, "no version satisfies %q: suffixes such as -rc.1 are removed before the comparison", *text)
	}
}

func (c *checker) architectures() {
	s := c.source
	if s.Architectures == nil {
		return
	}
	if n := c.nodes[fieldArchitectures]; len(s.Architectures) == 0 && (n == nil || target(n).Kind == yaml.SequenceNode && len(target(n).Content) == 0) {
		c.add(fieldArchitectures, Invalid, nil, "empty list matches no architecture: remove the key for %s and %s", amd64, arm64)
	}
	seen := map[string]bool{}
	for _, name := range s.Architectures {
		switch {
		case bit(name) == 0:
			c.add(fieldArchitectures, Invalid, &name, "unknown architecture %s: want %q or %q", quoteShort(name), amd64, arm64)
		case seen[name]:
			c.add(fieldArchitectures, Invalid, &name, "duplicate architecture %q", name)
		}
		seen[name] = true
	}
}

// checkBundle returns the first problem of the certificates of a bundle, or "".
func checkBundle(text string, now time.Time) string {
	rest := []byte(text)
	for i := 1; ; i++ {
		var block *pem.Block
		before := rest
		if block, rest = pem.Decode(rest); block == nil {
			switch {
			case i == 1:
				return "no PEM block: want -----BEGIN CERTIFICATE-----"
			case strings.Contains(string(before), "-----BEGIN"):
				return fmt.Sprintf("PEM block %d is malformed", i)
			}
			return ""
		}
		if block.Type != "CERTIFICATE" {
			return fmt.Sprintf("PEM block %d is a %q, not a certificate", i, block.Type)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		switch {
		case err != nil:
			return fmt.Sprintf("parsing certificate %d: %v", i, err)
		case now.Before(cert.NotBefore):
			return fmt.Sprintf("certificate %d, of %q, is not valid before %s", i, cert.Subject, cert.NotBefore.UTC().Format(time.RFC3339))
		case now.After(cert.NotAfter):
			return fmt.Sprintf("certificate %d, of %q, expired at %s", i, cert.Subject, cert.NotAfter.UTC().Format(time.RFC3339))
		case cert.BasicConstraintsValid && !cert.IsCA:
			return fmt.Sprintf("certificate %d, of %q, is not of a certificate authority", i, cert.Subject)
		}
	}
}
