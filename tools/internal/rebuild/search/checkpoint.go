package search

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
)

// checkpointFile is the path of the checkpoints of one binary. An interrupted
// search continues at its checkpoint.
type checkpointFile string

// checkpoint is the progress of one search. Another commit or other sources make
// another program, whose search starts at the beginning.
type checkpoint struct {
	Program, Want, Space string // sha256 of both, and the search space
	Next                 int64  // number of the first candidate that was not tried
}

func (c checkpoint) sameSearch(d checkpoint) bool {
	d.Next = c.Next
	return c == d
}

// next returns the number of the first candidate to try.
func (f checkpointFile) next(c checkpoint) (int64, error) {
	all, err := f.read()
	if err != nil {
		return 0, err
	}
	if i := slices.IndexFunc(all, c.sameSearch); i >= 0 {
		return all[i].Next, nil
	}
	return 0, nil
}

// read returns all checkpoints. A corrupt file counts as empty.
func (f checkpointFile) read() ([]checkpoint, error) {
	data, err := os.ReadFile(string(f))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading search checkpoints: %w", err)
	}
	var all []checkpoint
	if json.Unmarshal(data, &all) != nil {
		return nil, nil
	}
	return all, nil
}

func (f checkpointFile) save(c checkpoint) error {
	all, err := f.read()
	if err != nil {
		return err
	}
	data, err := json.Marshal(append(slices.DeleteFunc(all, c.sameSearch), c))
	if err == nil {
		err = os.MkdirAll(filepath.Dir(string(f)), 0o755)
	}
	if err == nil {
		err = atomic.WriteFile(string(f), data)
	}
	if err != nil {
		return fmt.Errorf("writing search checkpoints: %w", err)
	}
	return nil
}
