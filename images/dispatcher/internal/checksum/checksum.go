// Package checksum verifies the SHA-256 of programs. On a mismatch it also
// detects frequent kinds of wrong files.
package checksum

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// Sum is a SHA-256.
type Sum [sha256.Size]byte

// Parse parses a sum of 64 lower-case hexadecimal digits.
func Parse(s string) (Sum, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != sha256.Size || strings.ToLower(s) != s {
		return Sum{}, fmt.Errorf("parsing sha256 %q: want 64 digits of 0-9a-f", s)
	}
	return Sum(b), nil
}

// String returns the sum in hexadecimal digits.
func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// MarshalText returns the hexadecimal digits.
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText parses hexadecimal digits.
func (s *Sum) UnmarshalText(text []byte) (err error) {
	*s, err = Parse(string(text))
	return err
}

// headSize is the number of bytes that are kept to detect the kind of a file.
const headSize = 512

// Digester computes the sum and the size of the bytes written to it, and keeps
// the first of them.
type Digester struct {
	hash hash.Hash
	head []byte
	size int64
}

// NewDigester returns an empty Digester.
func NewDigester() *Digester { return &Digester{hash: sha256.New()} }

// Write adds bytes. It never fails.
func (d *Digester) Write(p []byte) (int, error) {
	d.hash.Write(p)
	d.head = append(d.head, p[:min(len(p), headSize-len(d.head))]...)
	d.size += int64(len(p))
	return len(p), nil
}

// Sum returns the sum of all bytes so far.
func (d *Digester) Sum() Sum { return Sum(d.hash.Sum(nil)) }

// Check returns a [*MismatchError] if the sum of all bytes so far is not want.
func (d *Digester) Check(want Sum) error {
	got := d.Sum()
	if got == want {
		return nil
	}
	return &MismatchError{Want: want, Got: got, Size: d.size, head: d.head}
}

// MismatchError reports bytes whose sum is not the expected one.
type MismatchError struct {
	Want, Got Sum
	Size      int64 // of the bytes read
	head      []byte
}

func (e *MismatchError) Error() string {
	s := fmt.Sprintf("want sha256 %s, got %s (%d bytes)", e.Want, e.Got, e.Size)
	if kind := sniff(e.head); kind != "" {
		s += "; the file is " + kind
	}
	return s
}
