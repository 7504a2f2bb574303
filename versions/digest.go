package versions

import (
	"fmt"
	"regexp"
)

// Digest is the sha256 of a file's bytes. The zero value is no digest;
// [ParseDigest] makes the others.
type Digest struct{ hex string }

var digestPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// ParseDigest reads 64 lower-case hexadecimal digits.
func ParseDigest(s string) (Digest, error) {
	if !digestPattern.MatchString(s) {
		return Digest{}, fmt.Errorf("%q is not a sha256: want 64 lower-case hexadecimal digits, got %d characters", s, len(s))
	}
	return Digest{s}, nil
}

// String returns the 64 digits, without an algorithm.
func (d Digest) String() string { return d.hex }
