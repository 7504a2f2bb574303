package sigstore

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/versions"
	"github.com/sigstore/sigstore-go/pkg/root"
)

const google = "https://accounts.google.com"

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func testdata(t testing.TB, name string) []byte { return read(t, filepath.Join("testdata", name)) }

func shippedRoot(t testing.TB) root.TrustedMaterial {
	t.Helper()
	name := filepath.FromSlash("../../../../versions/proofs/trusted_root.json")
	r, err := ParseRoot(name, read(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func signer(identity, from, until string) Policy {
	s := Signer{Identity: identity, Issuer: google}
	s.From, _ = time.Parse(time.DateOnly, from)
	s.Until, _ = time.Parse(time.DateOnly, until)
	return Policy{Signers: []Signer{s}}
}

func verifier(t testing.TB, trusted root.TrustedMaterial, p Policy) *Verifier {
	t.Helper()
	v, err := NewVerifier(trusted, p)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func digestOf(data []byte) versions.Digest { return versions.NewDigest(sha256.Sum256(data)) }

// The bundle is one of the Kubernetes release process, from public documents.
func TestRealBundle(t *testing.T) {
	old, err := ParseRoot("2023", testdata(t, "trusted_root_2023.json"))
	if err != nil {
		t.Fatal(err)
	}
	const trust = "krel-trust@k8s-releng-prod.iam.gserviceaccount.com"
	tests := []struct {
		name    string
		trusted root.TrustedMaterial
		payload string
		policy  Policy
		change  func(*Bundle)
		want    string // part of the error; "" if accepted
	}{
		{name: "shipped root", policy: signer(trust, "2023-07-25", "2023-07-26")},
		{name: "root of 2023", trusted: old, policy: signer(trust, "2023-07-25", "")},
		{name: "changed payload", payload: "payload-changed.json", policy: signer(trust, "2023-07-25", ""), want: "another file: want sha256 "},
		{name: "changed payload and digest", payload: "payload-changed.json", policy: signer(trust, "2023-07-25", ""), change: func(b *Bundle) {
			b.digest = digestOf(testdata(t, "cluster-api-controller-v1.5.0.payload-changed.json"))
			b.GetMessageSignature().MessageDigest.Digest, _ = hex.DecodeString(b.digest.String())
		}, want: "does not match artifact"},
		{name: "changed signature", policy: signer(trust, "2023-07-25", ""), change: func(b *Bundle) {
			b.GetMessageSignature().Signature[20] ^= 1
		}, want: "signature does not match"},
		{name: "wrong identity", policy: signer("krel-staging@k8s-releng-prod.iam.gserviceaccount.com", "2023-07-25", ""), want: "does not accept the signer"},
		{name: "wrong issuer", policy: Policy{Signers: []Signer{{Identity: trust, Issuer: "https://example.org"}}}, want: "does not accept the signer"},
		{name: "too early", policy: signer(trust, "2023-07-26", ""), want: "does not accept signatures of " + trust + " of 2023-07-25T17:0"},
		{name: "too late", policy: signer(trust, "2023-07-01", "2023-07-25"), want: "at that time"},
		{name: "changed time", policy: signer(trust, "2023-07-25", ""), change: func(b *Bundle) {
			b.VerificationMaterial.TlogEntries[0].IntegratedTime++
		}, want: "log entries"},
		{name: "without signed timestamp", policy: signer(trust, "2023-07-25", ""), change: func(b *Bundle) {
			b.VerificationMaterial.TlogEntries[0].InclusionPromise = nil
		}, want: "inclusion p"},
		{name: "without log entry", policy: signer(trust, "2023-07-25", ""), change: func(b *Bundle) {
			b.VerificationMaterial.TlogEntries = nil
		}, want: "the time of the signature is not proven: the bundle has no entry"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.trusted == nil {
				test.trusted = shippedRoot(t)
			}
			if test.payload == "" {
				test.payload = "payload.json"
			}
			b, err := Parse(testdata(t, "cluster-api-controller-v1.5.0.bundle.json"))
			if err != nil {
				t.Fatal(err)
			}
			if test.change != nil {
				test.change(b)
			}
			p, err := verifier(t, test.trusted, test.policy).Verify(b, digestOf(testdata(t, "cluster-api-controller-v1.5.0."+test.payload)))
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got error %v, want %q", err, test.want)
				}
				return
			}
			if err != nil || p.Identity != trust || p.Issuer != google || p.Time.Format(time.DateOnly) != "2023-07-25" {
				t.Errorf("got %+v, %v", p, err)
			}
		})
	}
}

// The signature and the certificate of kubectl v1.26.0-rc.1 come without an entry of
// the log.
func TestNoLogEntry(t *testing.T) {
	digest, err := versions.ParseDigest("982dfe7eb5c27120de6262d30fa3e8029bc1da9e632ce70570e9c921d2851fc2")
	if err != nil {
		t.Fatal(err)
	}
	b, err := Assemble(digest, testdata(t, "kubectl-v1.26.0-rc.1-linux-amd64.sig.der"), testdata(t, "kubectl-v1.26.0-rc.1-linux-amd64.cert.pem"), nil)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := ParsePolicy("policy.yaml", read(t, filepath.FromSlash("../../../../versions/proofs/policy.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	_, err = verifier(t, shippedRoot(t), policy).Verify(b, digest)
	if err == nil || !strings.Contains(err.Error(), "the time of the signature is not proven: the bundle has no entry") {
		t.Errorf("got error %v", err)
	}
}
