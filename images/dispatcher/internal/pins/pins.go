// Package pins reads the checksums of programs from the lock of the hyperkube
// repository, versions/lock.json, or from a part of it.
package pins

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/checksum"
)

// maxSize is the maximum size of a lock in bytes.
const maxSize = 64 << 20

// official is the source of files in the lock that upstream published.
const official = "kubernetes"

// Pin is a program in the lock.
type Pin struct{ Version, Platform, File string }

// Pins are programs in the lock.
type Pins struct {
	bySum  map[checksum.Sum]sourcePin
	claims map[Pin]bool // of official programs
}

type sourcePin struct {
	Pin
	source string
}

// Read reads a lock.
func Read(path string) (Pins, error) {
	p, err := read(path)
	if err != nil {
		return p, fmt.Errorf("reading lock %q: %w", path, err)
	}
	return p, nil
}

func read(path string) (Pins, error) {
	p := Pins{map[checksum.Sum]sourcePin{}, map[Pin]bool{}}
	f, err := os.Open(path)
	if err != nil {
		return p, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return p, err
	}
	if len(data) > maxSize {
		return p, fmt.Errorf("more than %d bytes", maxSize)
	}
	var lock struct {
		Schema int
		Files  []struct{ Source, Version, Platform, File, SHA256 string }
	}
	if err := json.Unmarshal(data, &lock); err != nil {
		return p, err
	}
	if lock.Schema != 1 {
		return p, fmt.Errorf("unsupported schema %d, want 1", lock.Schema)
	}
	for _, f := range lock.Files {
		sum, err := checksum.Parse(f.SHA256)
		if err != nil {
			return p, err
		}
		pin := sourcePin{Pin{f.Version, f.Platform, f.File}, f.Source}
		if f.Source == official {
			p.claims[pin.Pin] = true
		} else if p.bySum[sum].source == official {
			continue
		}
		p.bySum[sum] = pin
	}
	return p, nil
}

// Status says whether a program is official.
type Status string

// Statuses.
const (
	Official    Status = "yes"
	NotOfficial Status = "no"      // upstream published another program with its claim
	Unknown     Status = "unknown" // the lock has neither the sum nor the claim
)

// otherSource returns the status of a program that the lock has from a source other
// than upstream.
func otherSource(source string) Status { return NotOfficial + Status(":"+source) }

// Check returns the status of a program with a sum, and what it is: if it is not
// official, what it claims to be.
func (p Pins) Check(sum checksum.Sum, claim Pin) (Pin, Status) {
	if pin, ok := p.bySum[sum]; ok && pin.source == official {
		return pin.Pin, Official
	} else if ok {
		return Pin{cmp.Or(pin.Version, claim.Version), pin.Platform, pin.File}, otherSource(pin.source)
	}
	if p.claims[claim] {
		return claim, NotOfficial
	}
	return claim, Unknown
}
