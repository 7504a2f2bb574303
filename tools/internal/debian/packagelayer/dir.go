package packagelayer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/hyperkube/hyperkube/versions"
)

// Dir returns an opener of the files *.deb below a directory, which the first call
// finds and hashes. It follows symlinks to files.
func Dir(dir string) Opener {
	index := sync.OnceValues(func() (map[versions.Digest]string, error) { return indexDir(dir) })
	return func(_ context.Context, pin versions.PackagePin) (io.ReadCloser, error) {
		files, err := index()
		if err != nil {
			return nil, fmt.Errorf("looking for packages in %q: %w", dir, err)
		}
		file, ok := files[pin.SHA256]
		if !ok {
			return nil, fmt.Errorf("no *.deb below %q has the sha256 %s", dir, pin.SHA256)
		}
		return os.Open(file)
	}
}

func indexDir(dir string) (map[versions.Digest]string, error) {
	files := map[versions.Digest]string{}
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(file) != ".deb" {
			return err
		}
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		sum := sha256.New()
		_, err = io.Copy(sum, f)
		files[versions.NewDigest([sha256.Size]byte(sum.Sum(nil)))] = file
		return errors.Join(err, f.Close())
	})
	return files, err
}
