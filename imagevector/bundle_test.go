package imagevector

import (
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

// certificate returns a deterministic certificate of an authority.
func certificate(t *testing.T, name string, ca bool) string {
	t.Helper()
	key := ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize)))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: ca, BasicConstraintsValid: true,
		NotBefore: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// inYear sets the clock.
func inYear(year int) Option {
	return func(c *config) { c.now = func() time.Time { return time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC) } }
}

func TestBundle(t *testing.T) {
	good, leaf := certificate(t, "authority", true), certificate(t, "server", false)
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}))
	broken := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}))
	in2025, in2020, in2027 := inYear(2025), inYear(2020), inYear(2027)
	for _, tt := range []struct {
		name, inline       string
		clock              Option
		strict, compatible string // a part of the error, or ""
	}{
		{"one", good, in2025, "", ""},
		{"two", good + "a comment between\n" + good, in2025, "", ""},
		{"expired", good, in2027, `certificate 1, of "CN=authority", expired at 2026-01-01T00:00:00Z`, "certificate has expired"},
		{"not yet", good, in2020, `certificate 1, of "CN=authority", is not valid before `, ""},
		{"second expired", good + good, in2027, "certificate 1", "certificate has expired"},
		{"of a server", leaf, in2025, `is not of a certificate authority`, ""},
		{"second broken", good + broken, in2025, "parsing certificate 2", ""},
		{"second cut", good + good[:len(good)-20], in2025, "PEM block 2 is malformed", ""},
		{"key", good + key, in2025, `PEM block 2 is a "PRIVATE KEY", not a certificate`, ""},
		{"key first", key + good, in2025, `PEM block 1 is a "PRIVATE KEY"`, "not a valid PEM-encoded certificate"},
		{"none", "hello", in2025, "no PEM block", "not a valid PEM-encoded certificate"},
	} {
		inline, err := json.Marshal(tt.inline)
		if err != nil {
			t.Fatal(err)
		}
		data := fmt.Appendf(nil, "images: []\ncaBundle:\n  inline: %s\n", inline)
		for mode, opts := range map[string][]Option{"strict": {tt.clock}, "compatible": {tt.clock, Compatible()}} {
			want := tt.strict
			if mode == "compatible" {
				want = tt.compatible
			}
			v, err := Parse(data, opts...)
			switch {
			case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
				t.Errorf("%s, %s: error %v, want %q", tt.name, mode, err, want)
			case err == nil && *v.CABundle().Inline != tt.inline:
				t.Errorf("%s, %s: read as %q", tt.name, mode, *v.CABundle().Inline)
			}
		}
	}
}

// The bundle of an overwrite replaces that of the vector.
func TestBundleOverwrite(t *testing.T) {
	good := certificate(t, "authority", true)
	clock := inYear(2025)
	read := func(text string) *Vector {
		v, err := Parse([]byte(text), clock)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	written := string(Render("", nil, &CABundle{Inline: &good}))
	if !strings.Contains(written, "inline: |\n    -----BEGIN CERTIFICATE-----\n") {
		t.Errorf("certificates are written as\n%s", written)
	}
	with, without := read(written), read("images: []")
	for _, v := range []*Vector{with.Overwrite(without), without.Overwrite(with)} {
		if ca := v.CABundle(); ca == nil || *ca.Inline != good {
			t.Errorf("the bundle is %v", ca)
		}
	}
	other := certificate(t, "another authority", true)
	if ca := with.Overwrite(read(string(Render("", nil, &CABundle{Inline: &other})))).CABundle(); *ca.Inline != other {
		t.Error("the vector's bundle was kept")
	}
	if without.CABundle() != nil {
		t.Error("a bundle from nowhere")
	}
}
