package redate

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"errors"
	"fmt"
	"strings"
)

// readNotes finds the build ID and the place of the GNU build ID, if any.
func readNotes(file []byte) (buildID, []hole, error) {
	f, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		return buildID{}, nil, err
	}
	note := func(name string) (desc []byte, at int, err error) {
		s := f.Section(name)
		if s == nil {
			return nil, 0, nil
		}
		data, err := s.Data()
		if err != nil || len(data) < 16 {
			return nil, 0, fmt.Errorf("section %q: too short: %w", name, err)
		}
		// Sizes of name and contents, a type, the name, padded to four bytes.
		size, names := int(f.ByteOrder.Uint32(data[4:])), int(f.ByteOrder.Uint32(data))
		start := 12 + (names+3)&^3
		if names < 0 || size < 0 || start > len(data) || size > len(data)-start {
			return nil, 0, fmt.Errorf("section %q: sizes beyond its end", name)
		}
		return data[start : start+size], int(s.Offset) + start, nil
	}
	desc, _, err := note(".note.go.buildid")
	if err != nil {
		return buildID{}, nil, err
	}
	parts := strings.Split(string(desc), "/")
	if len(parts) != 4 {
		return buildID{}, nil, fmt.Errorf("build ID %q has not four parts", desc)
	}
	id := buildID{parts[0], parts[1], parts[2], parts[3]}
	desc, at, err := note(".note.gnu.build-id")
	if err != nil || desc == nil {
		return id, nil, err
	}
	return id, []hole{{at, len(desc), gnuHole}}, nil
}

// gnuBuildID finds out how got follows from the build ID. It is a sha256 that
// toolchains make different from the plain one: by the complement of its first
// byte, older ones by that of all.
func gnuBuildID(got []byte, id buildID) (func(string) []byte, error) {
	for _, inverted := range []int{0, 1, sha256.Size} {
		f := func(id string) []byte {
			h := sha256.Sum256([]byte(id))
			for i := range inverted {
				h[i] = ^h[i]
			}
			return h[:20]
		}
		if bytes.Equal(f(id.linking()), got) {
			return f, nil
		}
	}
	return nil, errors.New("the GNU build ID does not follow from Go's: a C compiler may have linked the program")
}
