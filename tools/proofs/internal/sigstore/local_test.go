package sigstore

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/tools/proofs/internal/sigstoretest"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
)

const staging = "krel-staging@k8s-releng-prod.iam.gserviceaccount.com"

// Each test signs with a local authority, and breaks one thing.
func TestLocalAuthority(t *testing.T) {
	const version3 = "application/vnd.dev.sigstore.bundle.v0.3+json"
	tests := []struct {
		name   string
		sign   sigstoretest.Options
		change func(*protobundle.Bundle)
		other  bool   // verify by another authority
		want   string // part of the error; "" if accepted
	}{
		{name: "signed timestamp"},
		{name: "signed timestamp and inclusion proof, v0.3", change: func(b *protobundle.Bundle) { b.MediaType = version3 }},
		{name: "inclusion proof and timestamp authority", change: func(b *protobundle.Bundle) {
			b.MediaType = version3
			b.VerificationMaterial.TlogEntries[0].InclusionPromise = nil
		}},
		{name: "inclusion proof alone", change: func(b *protobundle.Bundle) {
			b.MediaType = version3
			b.VerificationMaterial.TlogEntries[0].InclusionPromise = nil
			b.VerificationMaterial.TimestampVerificationData = nil
		}, want: "the time of the signature is not proven: the log entry has no signed timestamp"},
		{name: "changed inclusion proof", change: func(b *protobundle.Bundle) {
			b.MediaType = version3
			b.VerificationMaterial.TlogEntries[0].InclusionProof.RootHash[0] ^= 1
		}, want: "verify log inclusion"},
		{name: "changed checkpoint", change: func(b *protobundle.Bundle) {
			b.MediaType = version3
			p := b.VerificationMaterial.TlogEntries[0].InclusionProof.Checkpoint
			p.Envelope = strings.Replace(p.Envelope, "\n42\n", "\n43\n", 1)
		}, want: "verify log inclusion"},
		{name: "no certificate timestamp", sign: sigstoretest.Options{NoSCT: true}, want: "unable to meet threshold of 1"},
		{name: "logged after the certificate's validity", sign: sigstoretest.Options{After: 11 * time.Minute}, want: "integrated time outside certificate validity"},
		{name: "logged before the certificate's validity", sign: sigstoretest.Options{After: -time.Minute}, want: "integrated time outside certificate validity"},
		{name: "other identity", sign: sigstoretest.Options{Identity: "mallory@example.org"}, want: "does not accept the signer"},
		{name: "other issuer", sign: sigstoretest.Options{Issuer: "https://accounts.example.org"}, want: "does not accept the signer"},
		{name: "other authority", other: true, want: "log"},
		{name: "entry of another signature", change: func(b *protobundle.Bundle) {
			b.GetMessageSignature().Signature[12] ^= 1
		}, want: "signature does not match"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := sigstoretest.New(t)
			if test.sign.Identity == "" {
				test.sign.Identity = staging
			}
			if test.sign.Issuer == "" {
				test.sign.Issuer = google
			}
			data := []byte("kubelet")
			signed := a.Sign(data, test.sign)
			assembled, err := Assemble(digestOf(data), signed.Signature, signed.Certificate, signed.Entry)
			if err != nil {
				t.Fatal(err)
			}
			raw := assembled.Bundle.Bundle
			if test.change != nil {
				raw.VerificationMaterial.TimestampVerificationData = &protobundle.TimestampVerificationData{
					Rfc3161Timestamps: []*protocommon.RFC3161SignedTimestamp{{SignedTimestamp: signed.Timestamp}},
				}
				raw.VerificationMaterial.Content = &protobundle.VerificationMaterial_Certificate{
					Certificate: raw.VerificationMaterial.GetX509CertificateChain().Certificates[0],
				}
				test.change(raw)
			}
			changed, err := bundle.NewBundle(raw)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := newBundle(changed)
			if err != nil {
				t.Fatal(err)
			}
			formatted, err := parsed.Format()
			if err != nil {
				t.Fatal(err)
			}
			var compact bytes.Buffer
			if err := json.Compact(&compact, formatted); err != nil || compact.String()+"\n" != string(formatted) {
				t.Errorf("want a line without white space, got %v\n%s", err, formatted)
			}
			if parsed, err = Parse(formatted); err != nil {
				t.Fatal(err)
			}
			if again, err := parsed.Format(); err != nil || string(again) != string(formatted) {
				t.Errorf("a parsed bundle has other bytes: %v\n%s\n%s", err, formatted, again)
			}
			if test.other {
				a = sigstoretest.New(t)
			}
			trusted, err := ParseRoot("root", a.Root())
			if err != nil {
				t.Fatal(err)
			}
			p, err := verifier(t, trusted, signer(staging, "2022-10-01", "")).Verify(parsed, digestOf(data))
			if test.want == "" {
				if err != nil || p.Identity != staging || p.Issuer != google || p.Time.IsZero() {
					t.Errorf("got %+v, %v", p, err)
				}
			} else if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want %q", err, test.want)
			}
		})
	}
}
