package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/cachedir"
	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/versions"
)

// buildPinned builds a program and puts it into the store.
func (f *Fetcher) buildPinned(ctx context.Context, pin versions.Pin, source versions.Source) error {
	task := f.Progress.Start("building "+pin.FileKey.String(), "program", 1)
	data, err := f.build(ctx, pin.FileKey, source)
	if err != nil {
		task.Fail()
		return err
	}
	from := fmt.Sprintf("%s built by %s", pin.File, source.Toolchain)
	if err := f.Store.Put(ctx, pin.SHA256, pin.Size, from, bytes.NewReader(data)); err != nil {
		task.Fail()
		return fmt.Errorf("%w\nThe source of the program does not match its pin. Fix: go run ./tools/hk pin --programs", err)
	}
	task.Add(1)
	task.Done()
	return nil
}

// PinProgram builds a program, puts it into the store, and returns its pin.
func (f *Fetcher) PinProgram(ctx context.Context, key versions.FileKey, source versions.Source) (versions.Pin, error) {
	data, err := f.build(ctx, key, source)
	if err != nil {
		return versions.Pin{}, fmt.Errorf("pinning %s: %w", key, err)
	}
	digest := versions.NewDigest(sha256.Sum256(data))
	pin := versions.Pin{FileKey: key, SHA256: digest, Size: int64(len(data))}
	return pin, f.Store.Put(ctx, digest, pin.Size, key.File, bytes.NewReader(data))
}

// build builds a program with the source's toolchain and flags, independent of the
// configuration of the host, and returns its bytes.
func (f *Fetcher) build(ctx context.Context, key versions.FileKey, source versions.Source) (data []byte, err error) {
	file, ok := source.File(key)
	if !ok || source.Kind != versions.KindGoBuild {
		return nil, fmt.Errorf("source %q of %s does not build it", source.Name, versions.ManifestFile)
	}
	if f.Root == "" {
		return nil, errors.New("building a program of the repository: want a checkout of it as working directory")
	}
	cache, err := cachedir.Dir(f.Getenv)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "hyperkube-program-")
	if err != nil {
		return nil, fmt.Errorf("creating a build directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	out := filepath.Join(dir, key.File)
	tool, err := gotool.New(ctx, gotool.Config{Dir: filepath.Join(cache, "go"), Getenv: f.Getenv})
	if err != nil {
		return nil, err
	}
	// In the package's directory go uses the go.mod nearest to it: a program with a
	// module of its own has its own versions of dependencies.
	cmd := tool.Command(ctx, filepath.Join(f.Root, filepath.FromSlash(file.Package)), slices.Concat([]string{"build", "-o", out}, source.Flags, []string{"."})...)
	cmd.Env = append(cmd.Env, "CGO_ENABLED=0", "GOOS="+key.Platform.OS(), "GOARCH="+key.Platform.Arch(), "GOAMD64=v1", "GOARM64=v8.0", "GOTOOLCHAIN="+source.Toolchain)
	if output, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building %q: %w\n%s", file.Package, err, output)
	}
	return os.ReadFile(out)
}
