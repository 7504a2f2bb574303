package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/generate"
	"github.com/hyperkube/hyperkube/tools/internal/generate/vector"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/rogpeppe/go-internal/diff"
)

// vectorFile is the image vector, as it is and as it should be.
type vectorFile struct {
	file    string
	is, now []byte
}

func planVector(root string, c *versions.Catalog) (vectorFile, error) {
	v := vectorFile{file: filepath.Join(root, vector.Path)}
	var err error
	if v.now, err = vector.Render(vector.Of(c, nil), releases(c)); err != nil {
		return v, err
	}
	v.is, err = os.ReadFile(v.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return v, fmt.Errorf("writing %q: %w", vector.Path, err)
	}
	if err == nil && !bytes.HasPrefix(v.is, []byte(generate.Header[:len(generate.Header)-1])) {
		return v, fmt.Errorf("writing %q: it is there, and others wrote it; move it away", vector.Path)
	}
	return v, nil
}

func (v vectorFile) fresh() bool { return bytes.Equal(v.is, v.now) }

func (v vectorFile) diff() []byte { return diff.Diff("a/"+vector.Path, v.is, "b/"+vector.Path, v.now) }

func (v vectorFile) write() error {
	if v.fresh() {
		return nil
	}
	return write(v.file, v.now)
}

// writePinned writes the vector with the digests on record to a file of the
// caller's, and returns how many images have none yet.
func writePinned(file string, c *versions.Catalog, records record.Records) (unknown int, err error) {
	known := map[string]string{}
	for name, r := range records {
		known[name] = r.Index
	}
	text, left, err := vector.RenderPinned(vector.Of(c, known), releases(c))
	if err != nil {
		return 0, err
	}
	return len(left), write(file, text)
}

func write(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("writing %q: %w", file, err)
	}
	return atomic.WriteFile(file, text)
}

func releases(c *versions.Catalog) []versions.Version {
	all := make([]versions.Version, len(c.Manifest.Releases))
	for i, r := range c.Manifest.Releases {
		all[i] = r.Version
	}
	return all
}
