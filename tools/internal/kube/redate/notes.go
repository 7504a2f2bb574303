package redate

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"errors"
	"fmt"
	"strings"
)

// readNotes returns the build ID and the site of the GNU build ID, if there is one.
func readNotes(file []byte) (buildID, []patchSite, error) {
	f, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		return buildID{}, nil, err
	}
	note := func(name string) (desc []byte, offset int, err error) {
		s := f.Section(name)
		if s == nil {
			return nil, 0, nil
		}
		data, err := s.Data()
		if err != nil || len(data) < 16 {
			return nil, 0, fmt.Errorf("section %q: too short: %w", name, err)
		}
		// The note has the sizes of name and descriptor, a type, and the name, padded to
		// four bytes.
		size, nameSize := int(f.ByteOrder.Uint32(data[4:])), int(f.ByteOrder.Uint32(data))
		start := 12 + (nameSize+3)&^3
		if nameSize < 0 || size < 0 || start > len(data) || size > len(data)-start {
			return nil, 0, fmt.Errorf("section %q: note exceeds the section", name)
		}
		return data[start : start+size], int(s.Offset) + start, nil
	}
	desc, _, err := note(".note.go.buildid")
	if err != nil {
		return buildID{}, nil, err
	}
	parts := strings.Split(string(desc), "/")
	if len(parts) != 4 {
		return buildID{}, nil, fmt.Errorf("build ID %q: want four parts", desc)
	}
	id := buildID{parts[0], parts[1], parts[2], parts[3]}
	desc, offset, err := note(".note.gnu.build-id")
	if err != nil || desc == nil {
		return id, nil, err
	}
	return id, []patchSite{{offset, len(desc), gnuSite}}, nil
}

// gnuBuildID returns the function that derives got from the build ID. It is a
// sha256, of which toolchains invert the first byte, and older ones all bytes.
func gnuBuildID(got []byte, id buildID) (func(string) []byte, error) {
	for _, inverted := range []int{0, 1, sha256.Size} {
		f := func(id string) []byte {
			h := sha256.Sum256([]byte(id))
			for i := range inverted {
				h[i] = ^h[i]
			}
			return h[:20]
		}
		if bytes.Equal(f(id.linkInput()), got) {
			return f, nil
		}
	}
	return nil, errors.New("GNU build ID not derived from Go's: a C compiler may have linked the program")
}
