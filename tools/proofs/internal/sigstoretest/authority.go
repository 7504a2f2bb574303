// Package sigstoretest is a certificate authority with a certificate transparency log,
// a transparency log and a timestamp authority, for tests.
package sigstoretest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"testing"
	"time"

	ct "github.com/google/certificate-transparency-go"
	"github.com/google/certificate-transparency-go/tls"
	"github.com/google/certificate-transparency-go/x509util"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"
)

// Authority is trusted material of its own.
type Authority struct {
	*ca.VirtualSigstore
	t         testing.TB
	parent    *x509.Certificate // intermediate certificate
	top       *x509.Certificate
	parentKey *ecdsa.PrivateKey
	logKey    *ecdsa.PrivateKey // of the certificate transparency log
	Start     time.Time         // of the certificates' validity, 10 minutes
}

// New returns an authority.
func New(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{t: t, Start: time.Now().Truncate(time.Second)}
	var err error
	a.VirtualSigstore, err = ca.NewVirtualSigstore()
	a.check(err)
	top, topKey, err := ca.GenerateRootCa()
	a.check(err)
	a.top = top
	a.parent, a.parentKey, err = ca.GenerateFulcioIntermediate(top, topKey)
	a.check(err)
	a.logKey = a.key()
	return a
}

func (a *Authority) check(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *Authority) key() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a.check(err)
	return key
}

// FulcioCertificateAuthorities implements [root.TrustedMaterial].
func (a *Authority) FulcioCertificateAuthorities() []root.CertificateAuthority {
	return []root.CertificateAuthority{&root.FulcioCertificateAuthority{
		Root: a.top, Intermediates: []*x509.Certificate{a.parent}, URI: "https://fulcio.example.org",
		ValidityPeriodStart: a.Start.Add(-time.Hour), ValidityPeriodEnd: a.Start.Add(time.Hour),
	}}
}

// CTLogs implements [root.TrustedMaterial].
func (a *Authority) CTLogs() map[string]*root.TransparencyLog {
	id := a.logID(a.logKey.Public())
	return map[string]*root.TransparencyLog{hex.EncodeToString(id[:]): {
		BaseURL: "https://ct.example.org", ID: id[:], HashFunc: crypto.SHA256, SignatureHashFunc: crypto.SHA256,
		PublicKey: a.logKey.Public(), ValidityPeriodStart: a.Start.Add(-time.Hour), ValidityPeriodEnd: a.Start.Add(time.Hour),
	}}
}

// RekorLogs implements [root.TrustedMaterial].
func (a *Authority) RekorLogs() map[string]*root.TransparencyLog {
	logs := a.VirtualSigstore.RekorLogs()
	for id, log := range logs {
		raw, err := hex.DecodeString(id)
		a.check(err)
		log.ID = raw
	}
	return logs
}

func (a *Authority) logID(key any) [sha256.Size]byte {
	der, err := x509.MarshalPKIXPublicKey(key)
	a.check(err)
	return sha256.Sum256(der)
}

// Root returns the trusted root in JSON.
func (a *Authority) Root() []byte {
	r, err := root.NewTrustedRoot(root.TrustedRootMediaType01, a.FulcioCertificateAuthorities(), a.CTLogs(), a.TimestampingAuthorities(), a.RekorLogs())
	a.check(err)
	data, err := r.MarshalJSON()
	a.check(err)
	return data
}

var (
	issuerID = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 1}
	sctsID   = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}
)

// certificate returns a certificate in DER, with a signed certificate timestamp if sct
// is set, and its key.
func (a *Authority) certificate(identity, issuer string, sct bool) ([]byte, *ecdsa.PrivateKey) {
	key := a.key()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), EmailAddresses: []string{identity},
		NotBefore: a.Start, NotAfter: a.Start.Add(10 * time.Minute),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		ExtraExtensions: []pkix.Extension{{Id: issuerID, Value: []byte(issuer)}},
	}
	create := func() []byte {
		der, err := x509.CreateCertificate(rand.Reader, template, a.parent, key.Public(), a.parentKey)
		a.check(err)
		return der
	}
	der := create()
	if !sct {
		return der, key
	}
	// The log signs the certificate as it is without the timestamp.
	unsigned, err := x509.ParseCertificate(der)
	a.check(err)
	timestamp := ct.SignedCertificateTimestamp{
		SCTVersion: ct.V1, LogID: ct.LogID{KeyID: a.logID(a.logKey.Public())}, Timestamp: uint64(a.Start.UnixMilli()),
	}
	input, err := ct.SerializeSCTSignatureInput(timestamp, ct.LogEntry{Leaf: ct.MerkleTreeLeaf{TimestampedEntry: &ct.TimestampedEntry{
		EntryType: ct.PrecertLogEntryType,
		PrecertEntry: &ct.PreCert{
			IssuerKeyHash: sha256.Sum256(a.parent.RawSubjectPublicKeyInfo), TBSCertificate: unsigned.RawTBSCertificate,
		},
	}}})
	a.check(err)
	signature, err := tls.CreateSignature(*a.logKey, tls.SHA256, input)
	a.check(err)
	timestamp.Signature = ct.DigitallySigned(signature)
	list, err := x509util.MarshalSCTsIntoSCTList([]*ct.SignedCertificateTimestamp{&timestamp})
	a.check(err)
	raw, err := tls.Marshal(*list)
	a.check(err)
	value, err := asn1.Marshal(raw)
	a.check(err)
	template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: sctsID, Value: value})
	return create(), key
}
