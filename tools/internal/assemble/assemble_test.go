package assemble

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/hyperkube/hyperkube/tools/internal/fetch"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

const manifest = `schema: 1
registry: registry.invalid
sources:
  kubernetes:
    kind: release
    url: https://dl.k8s.io/{file}
    files: {kubelet: ">= 1.19.0", kubectl: ">= 1.19.0"}
flavors:
  hyperkube:
    repository: hyperkube
    tag: "{version}"
    versions: ">= 1.19.0"
    architectures: [amd64, arm64]
    compression: %s
    files:
      - {path: /kubelet, source: kubernetes/kubelet}
      - {path: /usr/bin/kubectl, source: kubernetes/kubectl, mode: "0555"}
    symlinks: {/kubectl: usr/bin/kubectl}
    entrypoint: [/kubectl]
    cmd: [version]
    env: {A: b}
    user: "0:0"
    workdir: /tmp
    labels: {version: "{version}"}
releases: [v1.36.0]
`

// setup returns an image and a fetcher whose store has its files.
func setup(t *testing.T, compression string) (*fetch.Fetcher, versions.Image) {
	t.Helper()
	m, err := versions.ParseManifest("m.yaml", fmt.Appendf(nil, manifest, compression))
	if err != nil {
		t.Fatal(err)
	}
	files, lock := store.New(t.TempDir()), versions.NewLock()
	for _, name := range []string{"kubelet", "kubectl"} {
		for _, platform := range m.Flavors[0].Platforms {
			data := bytes.Repeat([]byte(name+platform.String()), 50_000)
			digest := versions.NewDigest(sha256.Sum256(data))
			if err := files.Put(t.Context(), digest, 0, name, bytes.NewReader(data)); err != nil {
				t.Fatal(err)
			}
			lock.Set(versions.Pin{SHA256: digest, Size: int64(len(data)), FileKey: versions.FileKey{
				Source: "kubernetes", Version: m.Releases[0].Version, Platform: platform, File: name,
			}})
		}
	}
	catalog, err := versions.Resolve(m, lock)
	if err != nil {
		t.Fatal(err)
	}
	return &fetch.Fetcher{Catalog: catalog, Store: files, Upstream: fetch.Off, Progress: progress.New(io.Discard, nil)}, catalog.Images[0]
}

// listing returns the mode and sha256 of every file in a directory.
func listing(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err1 := filepath.Rel(dir, file)
		info, err2 := entry.Info()
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		files[name] = info.Mode().String()
		if entry.IsDir() {
			return nil
		}
		raw, err := os.ReadFile(file)
		files[name] += fmt.Sprintf(" %x", sha256.Sum256(raw))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestIndex(t *testing.T) {
	for _, compression := range []string{"gzip", "zstd"} {
		t.Run(compression, func(t *testing.T) {
			f, image := setup(t, compression)
			dir := filepath.Join(t.TempDir(), "layout")
			record, err := Image(context.Background(), f, image, versions.Platform{}, dir)
			if err != nil {
				t.Fatal(err)
			}
			top, err := layout.ImageIndexFromPath(dir)
			if err != nil {
				t.Fatal(err)
			}
			list, err := top.IndexManifest()
			if err != nil || len(list.Manifests) != 1 || list.Manifests[0].Digest.String() != record.Index {
				t.Fatalf("index.json %+v, %v; built %s", list, err, record.Index)
			}
			index, err := top.ImageIndex(list.Manifests[0].Digest)
			if err != nil {
				t.Fatal(err)
			}
			var depth []validate.Option
			if compression == "zstd" {
				depth = append(depth, validate.Fast) // validate cannot decompress zstd
			}
			if err := validate.Index(index, depth...); err != nil {
				t.Errorf("not a valid index: %v", err)
			}
			if len(record.Manifests) != 2 || len(record.DiffIDs["linux/arm64"]) != 3 {
				t.Errorf("recorded %+v", record)
			}
			// Replacing the layout with another umask gives the same files.
			before := listing(t, dir)
			old := syscall.Umask(0o077)
			again, err := Image(context.Background(), f, image, versions.Platform{}, dir)
			syscall.Umask(old)
			if err != nil || again.Index != record.Index || !maps.Equal(before, listing(t, dir)) {
				t.Errorf("again: %s, %v; first %s", again.Index, err, record.Index)
			}
		})
	}
}

func TestPlatform(t *testing.T) {
	f, image := setup(t, "gzip")
	dir := filepath.Join(t.TempDir(), "layout")
	both, err := Image(context.Background(), f, image, versions.Platform{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, build := range image.Builds {
		one, err := Image(context.Background(), f, image, build.Platform, filepath.Join(t.TempDir(), "one"))
		platform := build.Platform.String()
		if err != nil || one.Manifests[platform] != both.Manifests[platform] || one.Index != "" {
			t.Errorf("%s: %+v, %v; of the index %s", platform, one, err, both.Manifests[platform])
		}
	}
}

// A changed file in the store is an error, and leaves nothing behind.
func TestIndexCorruptFile(t *testing.T) {
	f, image := setup(t, "gzip")
	pin := image.Builds[1].Layers[0].Pin
	raw, err := os.ReadFile(f.Store.Path(pin.SHA256))
	if err != nil {
		t.Fatal(err)
	}
	raw[1000] ^= 1
	if err := os.WriteFile(f.Store.Path(pin.SHA256), raw, 0o644); err != nil {
		t.Fatal(err)
	}
	parent := t.TempDir()
	_, err = Image(context.Background(), f, image, versions.Platform{}, filepath.Join(parent, "layout"))
	if err == nil || !strings.Contains(err.Error(), "kubernetes/v1.36.0/linux/arm64/kubelet") || !strings.Contains(err.Error(), "Fix: delete that file") {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestIndexRefusesToOverwrite(t *testing.T) {
	f, image := setup(t, "gzip")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "precious"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Image(context.Background(), f, image, versions.Platform{}, dir); err == nil || !strings.Contains(err.Error(), "not an OCI layout") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "precious")); err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	f, image := setup(t, "gzip")
	built, err := Image(context.Background(), f, image, versions.Platform{}, filepath.Join(t.TempDir(), "layout"))
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "images"), 0o755); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, name := range []string{image.Name(), "a", "b", "c", "d"} {
		wg.Go(func() {
			if err := record.Add(t.Context(), root, name, built); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	known, err := record.Read(root)
	if len(known) != 5 {
		t.Errorf("%d records, want 5", len(known))
	}
	if err != nil || known.Check(image.Name(), built) != nil {
		t.Fatalf("%v, %v", err, known.Check(image.Name(), built))
	}
	other := built
	other.DiffIDs = maps.Clone(built.DiffIDs)
	other.DiffIDs["linux/amd64"] = []string{"sha256:other"}
	if err := known.Check(image.Name(), other); err == nil || !strings.Contains(err.Error(), "linux/amd64: want layers [sha256:") {
		t.Errorf("other layers: got %v", err)
	}
	other = built
	other.Index = "sha256:other"
	other.Manifests = maps.Clone(built.Manifests)
	other.Manifests["linux/arm64"] = "sha256:other"
	err = known.Check(image.Name(), other)
	for _, want := range []string{"linux/arm64: want manifest " + built.Manifests["linux/arm64"], "want index " + built.Index + ", got sha256:other"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// Concurrent builds to one directory succeed, and readers always find a layout.
func TestIndexConcurrently(t *testing.T) {
	f, image := setup(t, "gzip")
	parent := t.TempDir()
	dir := filepath.Join(parent, "layout")
	if _, err := Image(t.Context(), f, image, versions.Platform{}, dir); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				if _, err := Image(t.Context(), f, image, versions.Platform{}, dir); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for running := true; running; {
		if _, err := os.Stat(filepath.Join(dir, "index.json")); err != nil {
			t.Fatal(err)
		}
		select {
		case <-done:
			running = false
		default:
		}
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
}
