package verify

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/assemble"
	"github.com/hyperkube/hyperkube/tools/internal/fetch"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

const manifest = `schema: 1
registry: registry.invalid
sources:
  programs:
    kind: gobuild
    toolchain: go1.26.8
    packages: {sleep: ./images/sleep, wake: ./images/wake}
flavors:
  hyperkube:
    repository: hyperkube
    tag: "{version}"
    versions: ">= 1.19.0"
    architectures: [ARCH]
    files:
      - {path: /sleep, source: programs/sleep}
      - {path: /bin/wake, source: programs/wake}
    symlinks: {/wake: bin/wake}
    entrypoint: [/sleep]
    cmd: [now]
    user: "0:0"
    workdir: /tmp
    labels: {version: "{version}"}
releases: [v1.36.0]
`

// build assembles the image of a manifest, with a stub of this test's own binary
// as sleep and, unless other bytes are given, as wake.
func build(t *testing.T, manifest string, wake []byte) (dir string, image versions.Image, built record.Record) {
	t.Helper()
	f, image := setup(t, manifest, wake)
	dir, built = assembleImage(t, f, image)
	return dir, image, built
}

// setup returns the image of a manifest, and a fetcher whose store has its files.
func setup(t *testing.T, manifest string, wake []byte) (*fetch.Fetcher, versions.Image) {
	t.Helper()
	return setupWith(t, manifest, wake, func(*versions.Lock, store.Store) {})
}

// setupWith lets add pin more files.
func setupWith(t *testing.T, manifest string, wake []byte, add func(*versions.Lock, store.Store)) (*fetch.Fetcher, versions.Image) {
	t.Helper()
	m, err := versions.ParseManifest("m.yaml", []byte(strings.ReplaceAll(manifest, "ARCH", runtime.GOARCH)))
	if err != nil {
		t.Fatal(err)
	}
	sleep := stubBinary(t)
	if wake == nil {
		wake = append(bytes.Clone(sleep), 0)
	}
	files, lock := store.New(t.TempDir()), versions.NewLock()
	for name, content := range map[string][]byte{"sleep": sleep, "wake": wake} {
		digest := versions.NewDigest(sha256.Sum256(content))
		if err := files.Put(t.Context(), digest, 0, name, bytes.NewReader(content)); err != nil {
			t.Fatal(err)
		}
		for _, p := range m.Flavors[0].Platforms {
			lock.Set(versions.Pin{FileKey: versions.FileKey{Source: "programs", Platform: p, File: name}, SHA256: digest})
		}
	}
	add(lock, files)
	c, err := versions.Resolve(m, lock)
	if err != nil {
		t.Fatal(err)
	}
	return &fetch.Fetcher{Catalog: c, Store: files, Registry: fetch.Off, Progress: progress.New(&bytes.Buffer{}, nil)}, c.Images[0]
}

func assembleImage(t *testing.T, f *fetch.Fetcher, image versions.Image) (dir string, built record.Record) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "layout")
	built, err := assemble.Image(t.Context(), f, image, versions.Platform{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir, built
}

// stubBinary returns this test's own binary with zeroed code: it has a real ELF
// header and build information, and compresses quickly.
func stubBinary(t *testing.T) []byte {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	file, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range file.Sections {
		switch {
		case section.Type == elf.SHT_NOBITS, section.Name == ".go.buildinfo", section.Name == ".shstrtab":
		default:
			clear(b[section.Offset : section.Offset+section.FileSize])
		}
	}
	return b
}

func TestLayout(t *testing.T) {
	for _, compression := range []string{"gzip", "zstd"} {
		t.Run(compression, func(t *testing.T) {
			testLayout(t, strings.Replace(manifest, "    entrypoint:", "    compression: "+compression+"\n    entrypoint:", 1))
		})
	}
}

func testLayout(t *testing.T, manifest string) {
	dir, image, built := build(t, manifest, nil)
	records := record.Records{image.Name(): built}
	findings, err := Layout(t.Context(), dir, image, records, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	arch := "linux/" + runtime.GOARCH
	want := []string{
		arch + " /sleep programs/" + arch + "/sleep",
		arch + " /bin/wake programs/" + arch + "/wake",
		arch + " /wake -> bin/wake",
	}
	for i, f := range findings {
		if got := fmt.Sprintf("%s %s %s", f.Platform, f.Path, f.Content); i >= len(want) || got != want[i] {
			t.Errorf("found %s", got)
		}
	}
	if len(findings) != len(want) {
		t.Errorf("found %d, want %d", len(findings), len(want))
	}
	built.Index = "sha256:0"
	if _, err := Layout(t.Context(), dir, image, record.Records{image.Name(): built}, nil, nil); err == nil || !strings.Contains(err.Error(), "digests differ from those in images/digests.json") {
		t.Errorf("got %v", err)
	}
}

// Each case verifies an image of a changed manifest against the original one.
func TestLayoutMismatch(t *testing.T) {
	for name, test := range map[string]struct{ old, new, want string }{
		"path":           {"path: /bin/wake", "path: /bin/awake", "want /bin/wake, got \"bin/awake\""},
		"mode":           {"source: programs/wake}", "source: programs/wake, mode: \"0555\"}", "/bin/wake: want mode 0755, got 0555"},
		"file":           {"source: programs/wake", "source: programs/sleep", "/bin/wake: want sha256"},
		"order":          {"      - {path: /sleep, source: programs/sleep}\n      - {path: /bin/wake, source: programs/wake}", "      - {path: /bin/wake, source: programs/wake}\n      - {path: /sleep, source: programs/sleep}", "want /sleep, got \"bin/wake\""},
		"fewer layers":   {"    symlinks: {/wake: bin/wake}\n", "", "want 0 layers of the base image and 3 more, got 2"},
		"symlink":        {"{/wake: bin/wake}", "{/wake: /bin/wake}", `/wake: want a symlink to "bin/wake", got type '2' to "/bin/wake"`},
		"more symlinks":  {"{/wake: bin/wake}", "{/wake: bin/wake, /woke: wake}", "want no more entries"},
		"fewer symlinks": {"{/wake: bin/wake}", "{/woke: bin/wake}", `want /wake, got "woke"`},
		"entrypoint":     {"entrypoint: [/sleep]", "entrypoint: [/wake]", `want entrypoint ["/sleep"], got ["/wake"]`},
		"cmd":            {"cmd: [now]", "cmd: [then]", `want cmd ["now"], got ["then"]`},
		"user":           {"0:0", "1:1", `want user "0:0"`},
		"workdir":        {"workdir: /tmp", "workdir: /var", `want user "0:0" and working directory "/tmp", got "0:0" and "/var"`},
		"label":          {"labels: {version: \"{version}\"}", "labels: {version: \"{version}x\"}", `label version: want "v1.36.0", got "v1.36.0x"`},
		"more labels":    {"labels: {", "labels: {a: b, ", "want 1 labels, got 2"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(manifest, test.old) {
				t.Fatalf("the manifest has no %q", test.old)
			}
			_, image, _ := build(t, manifest, nil)
			dir, _, _ := build(t, strings.Replace(manifest, test.old, test.new, 1), nil)
			findings, err := Layout(t.Context(), dir, image, nil, nil, nil)
			if err == nil || !strings.Contains(err.Error(), test.want) || findings != nil {
				t.Errorf("got %v, %v, want %s", findings, err, test.want)
			}
		})
	}
}

// A pin of the wrong file is detected, though all digests match.
func TestLayoutWrongBinary(t *testing.T) {
	dir, image, _ := build(t, manifest, []byte("<html>Sign in"))
	if _, err := Layout(t.Context(), dir, image, nil, nil, nil); err == nil || !strings.Contains(err.Error(), "reading ELF header of programs/linux/"+runtime.GOARCH+"/wake") {
		t.Errorf("got %v", err)
	}
}

// A changed byte in any blob is detected.
func TestLayoutCorruptBlob(t *testing.T) {
	dir, image, _ := build(t, manifest, nil)
	blobs, err := filepath.Glob(filepath.Join(dir, "blobs", "sha256", "*"))
	if err != nil || len(blobs) != 6 {
		t.Fatalf("%d blobs, %v", len(blobs), err)
	}
	for _, blob := range blobs {
		raw, err := os.ReadFile(blob)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int{len(raw) / 7, len(raw) / 2, len(raw) - 9} {
			flipped := bytes.Clone(raw)
			flipped[at] ^= 1
			if err := os.WriteFile(blob, flipped, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := Layout(t.Context(), dir, image, nil, nil, nil); err == nil {
				t.Errorf("%s with another byte at %d passes", blob, at)
			}
		}
		if err := os.WriteFile(blob, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// An error that prevents a check is not a violation.
func TestIncomplete(t *testing.T) {
	eio := &fs.PathError{Op: "read", Path: "blob", Err: syscall.EIO}
	if err := fmt.Errorf("layer 1: %w", errors.Join(errors.New("want sha256"), eio)); !Incomplete(err) {
		t.Errorf("%v is a violation", err)
	}
	dir, image, _ := build(t, manifest, nil)
	blobs := filepath.Join(dir, "blobs")
	for _, test := range []struct {
		name   string
		change func() error
		want   string // "violation", "incomplete" or ""
	}{
		{"missing blobs", func() error { return os.Rename(blobs, blobs+".old") }, "violation"},
		{"unreadable blobs", func() error { return os.WriteFile(blobs, nil, 0o644) }, "incomplete"},
		{"restored blobs", func() error { return errors.Join(os.Remove(blobs), os.Rename(blobs+".old", blobs)) }, ""},
		{"no temporary directory", func() error { t.Setenv("TMPDIR", filepath.Join(dir, "none")); return nil }, "incomplete"},
	} {
		if err := test.change(); err != nil {
			t.Fatal(err)
		}
		got := ""
		_, err := Layout(t.Context(), dir, image, nil, nil, nil)
		if err != nil {
			got = "violation"
			if Incomplete(err) {
				got = "incomplete"
			}
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q: %v", test.name, got, test.want, err)
		}
	}
}
