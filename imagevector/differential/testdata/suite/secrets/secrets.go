// Package secrets creates the certificates for Gardener's test suite. Gardener's
// package of the same name imports most of Kubernetes.
package secrets

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"time"

	"k8s.io/utils/clock"
)

const CACert = "ca"
const DataKeyCertificateCA = "ca.crt"

var Clock clock.Clock = clock.RealClock{}

type CertificateSecretConfig struct {
	Name, CommonName string
	CertType         string
	Validity         *time.Duration
}

type Certificate struct{ CertificatePEM []byte }

func (c *CertificateSecretConfig) GenerateCertificate() (*Certificate, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	validity := 10 * 365 * 24 * time.Hour
	if c.Validity != nil {
		validity = *c.Validity
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: c.CommonName},
		NotBefore: Clock.Now(), NotAfter: Clock.Now().Add(validity), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	return &Certificate{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}, err
}

func (c *Certificate) SecretData() map[string][]byte {
	return map[string][]byte{DataKeyCertificateCA: c.CertificatePEM}
}
