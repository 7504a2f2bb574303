// Package checksum tells whether bytes are the wanted ones, and what they seem
// to be if they are not.
package checksum

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// Sum is a sha256.
type Sum [sha256.Size]byte

// Parse reads a sum in 64 hexadecimal digits.
func Parse(s string) (Sum, error) {
	var sum Sum
	if len(s) != hex.EncodedLen(len(sum)) || strings.ToLower(s) != s {
		return Sum{}, fmt.Errorf("reading sha256 %q: want 64 digits of 0-9a-f", s)
	}
	if _, err := hex.Decode(sum[:], []byte(s)); err != nil {
		return Sum{}, fmt.Errorf("reading sha256 %q: want 64 digits of 0-9a-f", s)
	}
	return sum, nil
}

// String is the sum in hexadecimal digits.
func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// headSize is how much of a file is looked at to tell what it is, in bytes.
const headSize = 512

// Meter is told bytes, by writing, and knows their sum, size and beginning.
type Meter struct {
	hash hash.Hash
	head []byte
	size int64
}

// NewMeter returns a meter that was told nothing yet.
func NewMeter() *Meter { return &Meter{hash: sha256.New()} }

// Write never fails.
func (m *Meter) Write(p []byte) (int, error) {
	m.hash.Write(p)
	m.head = append(m.head, p[:min(len(p), headSize-len(m.head))]...)
	m.size += int64(len(p))
	return len(p), nil
}

// Sum is the sum of all bytes so far.
func (m *Meter) Sum() Sum { return Sum(m.hash.Sum(nil)) }

// Check compares the bytes so far with the sum that is wanted of them.
func (m *Meter) Check(want Sum) error {
	got := m.Sum()
	if got == want {
		return nil
	}
	return &MismatchError{Want: want, Got: got, Size: m.size, head: m.head}
}

// MismatchError is the error of bytes that are others than the wanted ones.
type MismatchError struct {
	Want, Got Sum
	Size      int64 // of what came, in bytes
	head      []byte
}

func (e *MismatchError) Error() string {
	s := fmt.Sprintf("want sha256 %s, got %s (%d bytes)", e.Want, e.Got, e.Size)
	if what := describe(e.head); what != "" {
		s += "; it is " + what
	}
	return s
}
