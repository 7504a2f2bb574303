package versions

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Digest is a sha256.
type Digest struct{ hex string }

// ParseDigest parses 64 lower-case hexadecimal digits.
func ParseDigest(s string) (Digest, error) {
	if len(s) != 64 || strings.Trim(s, "0123456789abcdef") != "" {
		return Digest{}, fmt.Errorf("%q is not a sha256: want 64 lower-case hexadecimal digits, got %d characters", s, len(s))
	}
	return Digest{s}, nil
}

// NewDigest returns the digest with a sum of package sha256.
func NewDigest(sum [sha256.Size]byte) Digest { return Digest{hex.EncodeToString(sum[:])} }

// String returns the 64 digits, without "sha256:".
func (d Digest) String() string { return d.hex }

// MarshalText returns the same as String.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText parses what MarshalText returns.
func (d *Digest) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDigest(string(text))
	return err
}
