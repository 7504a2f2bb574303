// Package record keeps images/digests.json: what every image came out as when
// it was first built. A later build that comes out otherwise is an error, on
// whatever machine and by whichever builder.
package record

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"
	"github.com/hyperkube/hyperkube/tools/internal/dirlock"
)

// File is where the record lies, from the root of the repository.
const File = "images/digests.json"

// Record is one image. Digests are "sha256:…".
type Record struct {
	Inputs    string              `json:"inputs"` // what it was made of, as a hash; see Records.Changed
	Index     string              `json:"index"`
	Manifests map[string]string   `json:"manifests"` // by platform
	DiffIDs   map[string][]string `json:"diffIDs"`   // by platform, in the order of the layers
}

// Records are all of them, by "FLAVOR:TAG".
type Records map[string]Record

// Read reads the record of a repository.
func Read(root string) (Records, error) {
	raw, err := os.ReadFile(filepath.Join(root, File))
	if errors.Is(err, fs.ErrNotExist) {
		return Records{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading digests: %w", err)
	}
	return Parse(raw)
}

// Parse reads the bytes of a record.
func Parse(raw []byte) (Records, error) {
	records := Records{}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&records); err != nil {
		return nil, fmt.Errorf("reading digests %q: %w", File, err)
	}
	return records, nil
}

// Add records an image in a repository. What is on record stays: a tag that may
// have been published is never given to another image. Several may add at once.
func Add(ctx context.Context, root, name string, built Record) error {
	lock, err := dirlock.Acquire(ctx, root, nil)
	if err != nil {
		return err
	}
	defer lock.Close()
	records, err := Read(root)
	if err != nil {
		return err
	}
	if err := records.Check(name, built); err != nil {
		return fmt.Errorf("recording digests in %q: %w", File, err)
	}
	records[name] = built
	raw, err := json.MarshalIndent(records, "", "  ") // maps come out sorted
	if err != nil {
		return err
	}
	file := filepath.Join(root, File)
	if err := renameio.WriteFile(file, append(raw, '\n'), 0o644, renameio.IgnoreUmask()); err != nil {
		return fmt.Errorf("writing digests %q: %w", file, err)
	}
	return nil
}

// Check compares a built image with its record. An image without a record
// passes: it is built for the first time.
func (r Records) Check(name string, built Record) error {
	want, ok := r[name]
	if !ok {
		return nil
	}
	var errs []error
	for _, platform := range slices.Sorted(maps.Keys(want.Manifests)) {
		got, ok := built.Manifests[platform]
		if !ok {
			continue // one platform alone was built
		}
		if !slices.Equal(want.DiffIDs[platform], built.DiffIDs[platform]) {
			errs = append(errs, fmt.Errorf("%s %s: want layers %s, got %s", name, platform, want.DiffIDs[platform], built.DiffIDs[platform]))
		}
		if got != want.Manifests[platform] {
			errs = append(errs, fmt.Errorf("%s %s: want manifest %s, got %s", name, platform, want.Manifests[platform], got))
		}
	}
	if built.Index != "" && built.Index != want.Index {
		errs = append(errs, fmt.Errorf("%s: want index %s, got %s", name, want.Index, built.Index))
	}
	return errors.Join(errs...)
}
