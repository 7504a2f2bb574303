package sigstore

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/hyperkube/hyperkube/versions"
	"gopkg.in/yaml.v3"
)

// Policy says whose signatures are accepted, for which files.
type Policy struct {
	// Source is the source in the manifest whose files are signed.
	Source string `yaml:"source"`
	// FirstVersion is the first version whose files upstream signed.
	FirstVersion versions.Version `yaml:"firstVersion"`
	Signers      []Signer         `yaml:"signers"`
	// KnownMismatches are files that differ from what upstream signed.
	KnownMismatches []KnownMismatch `yaml:"knownMismatches"`
}

// Signer is an identity that signs during a time.
type Signer struct {
	Identity string    `yaml:"identity"` // subject alternative name of the certificate
	Issuer   string    `yaml:"issuer"`   // OpenID Connect issuer
	From     time.Time `yaml:"from"`
	Until    time.Time `yaml:"until"` // exclusive; zero if it still signs
}

// KnownMismatch is a file whose published signature is of other bytes.
type KnownMismatch struct {
	File   string `yaml:"file"` // key of the pin
	Reason string `yaml:"reason"`
	URL    string `yaml:"url"`
}

// ParsePolicy parses a policy and reports all its errors.
func ParsePolicy(name string, data []byte) (Policy, error) {
	var p Policy
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&p); err != nil {
		return p, fmt.Errorf("parsing %q: %w", name, err)
	}
	var errs []error
	missing := func(field string, is bool) {
		if is {
			errs = append(errs, fmt.Errorf("%s: want a value", field))
		}
	}
	missing("source", p.Source == "")
	missing("firstVersion", p.FirstVersion == versions.Version{})
	missing("signers", len(p.Signers) == 0)
	for i, s := range p.Signers {
		field := fmt.Sprintf("signers[%d]", i)
		missing(field+".identity", s.Identity == "")
		missing(field+".issuer", s.Issuer == "")
		missing(field+".from", s.From.IsZero())
		if !s.Until.IsZero() && !s.From.Before(s.Until) {
			errs = append(errs, fmt.Errorf("%s.until: want a time after from", field))
		}
	}
	for i, m := range p.KnownMismatches {
		field := fmt.Sprintf("knownMismatches[%d]", i)
		if _, err := versions.ParseFileKey(m.File); err != nil {
			errs = append(errs, fmt.Errorf("%s.file: %w", field, err))
		}
		missing(field+".reason", m.Reason == "")
		if u, err := url.Parse(m.URL); err != nil || u.Scheme != "https" {
			errs = append(errs, fmt.Errorf("%s.url: want https://…, got %q", field, m.URL))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return p, fmt.Errorf("parsing %q: %w", name, err)
	}
	return p, nil
}

// Mismatch returns the known mismatch of a file.
func (p Policy) Mismatch(key versions.FileKey) (KnownMismatch, bool) {
	for _, m := range p.KnownMismatches {
		if m.File == key.String() {
			return m, true
		}
	}
	return KnownMismatch{}, false
}

// permits reports whether the signer signed at a time.
func (s Signer) permits(t time.Time) bool {
	return !t.Before(s.From) && (s.Until.IsZero() || t.Before(s.Until))
}
