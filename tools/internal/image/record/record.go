// Package record reads and writes images/digests.json, the digests of every
// image as it was first built. A later build with other digests is an error, on
// every machine and with every builder.
package record

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
	"github.com/hyperkube/hyperkube/versions"
)

// File is the path of the records, relative to the repository root.
const File = "images/digests.json"

// Record holds the digests ("sha256:…") of one image.
type Record struct {
	Inputs    string              `json:"inputs"` // hash of the image's inputs; see Records.CheckInputs
	Index     string              `json:"index,omitempty"`
	Manifests map[string]string   `json:"manifests"` // by platform
	DiffIDs   map[string][]string `json:"diffIDs"`   // by platform, in layer order
}

// New returns a record without digests.
func New(inputs string) Record {
	return Record{Inputs: inputs, Manifests: map[string]string{}, DiffIDs: map[string][]string{}}
}

// Records are the records of all images by "FLAVOR:TAG".
type Records map[string]Record

// Read reads the records of a checkout. A missing file has no records.
func Read(root string) (Records, error) {
	raw, err := ReadFile(root)
	if errors.Is(err, fs.ErrNotExist) {
		return Records{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading digests: %w", err)
	}
	return Parse(raw)
}

// ReadFile returns the bytes of a checkout's records.
func ReadFile(root string) ([]byte, error) {
	return ctxio.ReadFile(context.Background(), filepath.Join(root, File), MaxSize)
}

// MaxSize is the maximum size of a records file in bytes.
const MaxSize = 64 << 20

// Parse parses the content of a records file. Unknown fields and trailing data are
// errors.
func Parse(raw []byte) (Records, error) {
	records := Records{}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	err := d.Decode(&records)
	switch {
	case err != nil:
	case records == nil:
		err = errors.New("want an object, got null")
	default:
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("trailing data")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("parsing digests %q: %w", File, err)
	}
	return records, nil
}

// Add records an image in a checkout. Recorded digests never change: the tag may
// have been published. Concurrent calls are serialized by a lock on root.
func Add(ctx context.Context, root, name string, built Record) error {
	lock, err := lockfile.AcquireDir(ctx, root, lockfile.Wait{})
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
	raw, err := json.MarshalIndent(records, "", "  ") // sorts maps by key
	if err != nil {
		return err
	}
	return atomic.WriteFile(filepath.Join(root, File), append(raw, '\n'))
}

// Check compares the digests of a built image with its record. An image without
// a record passes, and so do platforms that were not built.
func (r Records) Check(name string, built Record) error {
	want, ok := r[name]
	if !ok {
		return nil
	}
	var errs []error
	for _, platform := range slices.Sorted(maps.Keys(want.Manifests)) {
		got, ok := built.Manifests[platform]
		if !ok {
			continue
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

// CheckIndex compares the digest of an index with that on record. An image without
// a record passes.
func (r Records) CheckIndex(name, digest string) error {
	if err := r.Check(name, Record{Index: digest}); err != nil {
		return DriftError(name, err)
	}
	return nil
}

// DriftError is the error for an image that differs from its record. It exits with
// [cli.ExitDrift].
func DriftError(name string, err error) error {
	return cli.Exit(cli.ExitDrift, fmt.Errorf("%s differs from its record in %s:\n%w\nA recorded tag is immutable. Fix: revert the change, or raise the iteration as go run ./tools/gen prints it",
		name, File, err))
}

// CheckInputs returns an error for each image of the catalog whose inputs differ
// from the recorded ones: a build would produce another image for a recorded tag.
// The error names the fix.
func (r Records) CheckInputs(c *versions.Catalog) error {
	var errs []error
	for _, image := range c.Images {
		recorded, ok := r[image.Name()]
		if !ok || recorded.Inputs == image.InputHash().String() {
			continue
		}
		f := image.Flavor
		fix := "revert the change: the tag pattern has neither {iteration} nor {-iteration}"
		if versions.HasIteration(f.Tag) {
			fix = fmt.Sprintf("raise the iteration: - {version: %s, iterations: {%s: %d}}", image.Version, f.Name, image.Iteration+1)
		}
		errs = append(errs, fmt.Errorf("%s: the inputs of %s (flavor %q) differ from those recorded in %s. Fix: %s",
			versions.ManifestFile, image.Name(), f.Name, File, fix))
	}
	return errors.Join(errs...)
}
