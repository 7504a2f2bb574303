package search

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/gotool"
)

// checkpointFile is the path of the checkpoints of one binary. An interrupted
// search continues at its checkpoint.
type checkpointFile string

// maxCheckpoints is the maximum size of the file in bytes.
const maxCheckpoints = 16 << 20

// searchKey identifies a search in the file. Another commit or other sources make
// another program, whose search starts at the beginning.
func searchKey(program, want string, space searchSpace) string {
	return fmt.Sprintf("sha256 %s of program %s in %s", want, program, space)
}

// read returns the number of the first candidate that was not tried, by search. A
// corrupt file counts as empty.
func (f checkpointFile) read() (map[string]int64, error) {
	data, err := gotool.ReadFile(string(f), maxCheckpoints)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading search checkpoints: %w", err)
	}
	all := map[string]int64{}
	if json.Unmarshal(data, &all) != nil || all == nil {
		return map[string]int64{}, nil
	}
	return all, nil
}

// save keeps the checkpoints of other searches.
func (f checkpointFile) save(search string, next int64) error {
	all, err := f.read()
	if err != nil {
		return err
	}
	all[search] = next
	data, err := json.Marshal(all)
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
