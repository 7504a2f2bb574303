package sigstore

import (
	"testing"

	"github.com/hyperkube/hyperkube/tools/proofs/internal/sigstoretest"
)

// No input makes the parser or the verifier panic, and only the authority's bundle is
// accepted.
func FuzzParse(f *testing.F) {
	a := sigstoretest.New(f)
	data := []byte("kubelet")
	s := a.Sign(data, sigstoretest.Options{Identity: staging, Issuer: google})
	b, err := Assemble(digestOf(data), s.Signature, s.Certificate, s.Entry)
	if err != nil {
		f.Fatal(err)
	}
	raw, err := b.Format()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(testdata(f, "cluster-api-controller-v1.5.0.bundle.json"))
	v := verifier(f, shippedRoot(f), signer("krel-trust@k8s-releng-prod.iam.gserviceaccount.com", "2023-07-01", ""))
	real := digestOf(testdata(f, "cluster-api-controller-v1.5.0.payload.json"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := Parse(raw)
		if err != nil {
			return
		}
		if _, err := v.Verify(b, b.Digest()); err == nil && b.Digest() != real {
			t.Errorf("accepted a bundle of %s", b.Digest())
		}
		formatted, err := b.Format()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(formatted); err != nil {
			t.Errorf("a formatted bundle does not parse: %v", err)
		}
	})
}
