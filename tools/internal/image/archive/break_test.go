package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func flip(t *testing.T, file string) {
	t.Helper()
	raw := read(t, file)
	raw[len(raw)/2] ^= 1
	write(t, file, raw)
}

func remove(t *testing.T, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

// replace replaces text in the files of a layout that contain it.
func replace(t *testing.T, dir, from, to string) {
	t.Helper()
	n := 0
	err := filepath.Walk(dir, func(file string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		raw := read(t, file)
		if changed := bytes.Replace(raw, []byte(from), []byte(to), 1); !bytes.Equal(raw, changed) {
			write(t, file, changed)
			n++
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Fatalf("%d files had %q: %v", n, from, err)
	}
}

// reseal changes a document of a layout and updates all digests above it, like an
// attacker would.
func reseal(t *testing.T, dir, file, from, to string) {
	t.Helper()
	raw := bytes.Replace(read(t, file), []byte(from), []byte(to), 1)
	if bytes.Equal(raw, read(t, file)) {
		t.Fatalf("%q has no %q", file, from)
	}
	if filepath.Base(file) == "index.json" {
		write(t, file, raw)
		return
	}
	oldSize, oldSum := len(read(t, file)), filepath.Base(file)
	newSum := strings.TrimPrefix(sum(raw), "sha256:")
	remove(t, file)
	write(t, filepath.Join(filepath.Dir(file), newSum), raw)
	parent := mentions(t, dir, oldSum)
	// The size is on the line before or after the digest.
	text := strings.Replace(string(read(t, parent)), oldSum, newSum, 1)
	at := strings.Index(text, newSum)
	start, end := max(0, at-80), min(len(text), at+160)
	around := strings.Replace(text[start:end], fmt.Sprintf(`"size": %d`, oldSize), fmt.Sprintf(`"size": %d`, len(raw)), 1)
	reseal(t, dir, parent, string(read(t, parent)), text[:start]+around+text[end:])
}

// mentions returns the file of a layout that contains a text.
func mentions(t *testing.T, dir, text string) string {
	t.Helper()
	blobs, err := filepath.Glob(filepath.Join(dir, "blobs", "sha256", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(blobs, filepath.Join(dir, "index.json")) {
		if bytes.Contains(read(t, file), []byte(text)) {
			return file
		}
	}
	t.Fatalf("nothing in %q has %q", dir, text)
	return ""
}

func TestBroken(t *testing.T) {
	top := func(dir string) string { return filepath.Join(dir, "index.json") }
	tests := map[string]struct {
		corrupt func(t *testing.T, dir string)
		want    string
	}{
		"no layout":       {func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "oci-layout")) }, "want the directory of an OCI layout"},
		"another version": {func(t *testing.T, dir string) { replace(t, dir, `"1.0.0"`, `"2.0.0"`) }, `want layout version 1.0.0, got "2.0.0"`},
		"no index":        {func(t *testing.T, dir string) { remove(t, top(dir)) }, "no such file"},
		"torn index":      {func(t *testing.T, dir string) { write(t, top(dir), []byte(`{"manifests": [`)) }, "unexpected end of JSON"},
		"two images": {func(t *testing.T, dir string) {
			write(t, top(dir), []byte(`{"manifests": [{}, {}]}`))
		}, "want one image, got 2"},
		"no image":   {func(t *testing.T, dir string) { write(t, top(dir), []byte(`{}`)) }, "want one image, got 0"},
		"no digest":  {func(t *testing.T, dir string) { replace(t, dir, `"digest"`, `"digset"`) }, "missing digest"},
		"other type": {func(t *testing.T, dir string) { reseal(t, dir, top(dir), "image.index", "image.layer") }, "want an index or manifest"},
		"relative path in digest": {func(t *testing.T, dir string) {
			reseal(t, dir, top(dir), "sha256:", "sha256:../../../../etc/passwd#")
		}, "not a sha256"},
		"absolute path in digest": {func(t *testing.T, dir string) { reseal(t, dir, top(dir), "sha256:", "sha256:/") }, "not a sha256"},
		"another algorithm":       {func(t *testing.T, dir string) { reseal(t, dir, top(dir), "sha256:", "sha512:") }, "want a digest like sha256:"},
		"negative size":           {func(t *testing.T, dir string) { reseal(t, dir, top(dir), `"size": `, `"size": -`) }, "got -"},
		"huge size": {func(t *testing.T, dir string) {
			reseal(t, dir, top(dir), `"size": `, `"size": 99999999`)
		}, "bytes, got 99999999"},
		"flipped document": {func(t *testing.T, dir string) { flip(t, mentions(t, dir, `"layers": [`)) }, "want sha256"},
		"missing document": {func(t *testing.T, dir string) { remove(t, mentions(t, dir, `"diff_ids"`)) }, "missing blob"},
		"missing layer":    {func(t *testing.T, dir string) { remove(t, layerOf(t, dir)) }, "missing blob"},
		"shorter layer": {func(t *testing.T, dir string) {
			if err := os.Truncate(layerOf(t, dir), 100); err != nil {
				t.Fatal(err)
			}
		}, "bytes, got 100"},
		"layer is a directory": {func(t *testing.T, dir string) {
			file := layerOf(t, dir)
			remove(t, file)
			if err := os.Mkdir(file, 0o755); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		"layer is a named pipe": {func(t *testing.T, dir string) {
			file := layerOf(t, dir)
			remove(t, file)
			if err := unix.Mkfifo(file, 0o644); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		"index is a named pipe": {func(t *testing.T, dir string) {
			remove(t, top(dir))
			if err := unix.Mkfifo(top(dir), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		"layer is a device": {func(t *testing.T, dir string) { link(t, layerOf(t, dir), "/dev/zero") }, "not a regular file"},
		"symlink loop":      {func(t *testing.T, dir string) { file := layerOf(t, dir); link(t, file, file) }, "too many levels"},
		"dangling symlink":  {func(t *testing.T, dir string) { link(t, layerOf(t, dir), "nowhere") }, "missing blob"},
		"symlink to another file": {func(t *testing.T, dir string) {
			secret := filepath.Join(t.TempDir(), "secret")
			write(t, secret, bytes.Repeat([]byte("s"), len(read(t, mentions(t, dir, `"diff_ids"`)))))
			link(t, mentions(t, dir, `"diff_ids"`), secret)
		}, "want sha256"},
		"endless index": {func(t *testing.T, dir string) {
			if err := os.Truncate(top(dir), maxDocument+1); err != nil {
				t.Fatal(err)
			}
		}, "want at most"},
		"endless document": {func(t *testing.T, dir string) {
			if err := os.Truncate(mentions(t, dir, `"architecture"`), maxDocument+1); err != nil {
				t.Fatal(err)
			}
		}, "bytes, got"},
		"large document": {func(t *testing.T, dir string) {
			reseal(t, dir, indexOf(t, dir), "{", "{"+strings.Repeat(" ", maxDocument))
		}, "want a document of at most"},
		"index in an index": {func(t *testing.T, dir string) {
			reseal(t, dir, mentions(t, dir, `"architecture": "arm64"`), "image.manifest", "image.index")
		}, "want the manifest of an image"},
		"another architecture": {func(t *testing.T, dir string) {
			reseal(t, dir, mentions(t, dir, `"diff_ids"`), `"linux"`, `"plan9"`)
		}, `got "plan9/`},
		"duplicate platform": {func(t *testing.T, dir string) {
			reseal(t, dir, indexOf(t, dir), `"arm64"`, `"amd64"`)
		}, `duplicate platform "linux/amd64"`},
		"no platform": {func(t *testing.T, dir string) {
			reseal(t, dir, indexOf(t, dir), `"platform"`, `"platfrom"`)
		}, "want the manifest of an image with a platform"},
		"fewer diffIDs": {func(t *testing.T, dir string) {
			reseal(t, dir, mentions(t, dir, `"diff_ids"`), `"diff_ids"`, `"diff_ids": [], "x"`)
		}, "want 0 layers, one per diffID"},
		"empty index": {func(t *testing.T, dir string) {
			reseal(t, dir, indexOf(t, dir), `"manifests"`, `"none"`)
		}, "no manifests"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			image := writeIndex(t, node)
			test.corrupt(t, image.Dir)
			_, err := New([]Image{image, writeIndex(t, tool)}, nil)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), node) {
				t.Errorf("got %v, want %q of %q", err, test.want, node)
			}
		})
	}
}

// indexOf returns the blob of the index of a layout.
func indexOf(t *testing.T, dir string) string {
	t.Helper()
	blobs, err := filepath.Glob(filepath.Join(dir, "blobs", "sha256", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range blobs {
		if bytes.Contains(read(t, file), []byte(`"manifests": [`)) {
			return file
		}
	}
	t.Fatal("no index")
	return ""
}

func link(t *testing.T, file, target string) {
	t.Helper()
	remove(t, file)
	if err := os.Symlink(target, file); err != nil {
		t.Fatal(err)
	}
}

// Two layouts must agree on the size of a blob.
func TestConflictingSizes(t *testing.T) {
	a, b := writeIndex(t, node), writeIndex(t, tool)
	file := layerOf(t, b.Dir)
	size := len(read(t, file))
	reseal(t, b.Dir, mentions(t, b.Dir, filepath.Base(file)), fmt.Sprintf(`"size": %d`, size), fmt.Sprintf(`"size": %d`, size+1))
	write(t, file, append(read(t, file), 0))
	_, err := New([]Image{a, b}, nil)
	if err == nil || !strings.Contains(err.Error(), "conflicting sizes") {
		t.Errorf("got %v", err)
	}
}

func TestBadImages(t *testing.T) {
	image := writeIndex(t, node)
	one := writeImage(t, tool)
	tests := map[string]struct {
		images    []Image
		platforms []string
		want      string
	}{
		"none":             {nil, nil, "want at least one image"},
		"twice":            {[]Image{image, image}, nil, "duplicate image"},
		"platform twice":   {[]Image{image}, []string{"linux/amd64", "linux/amd64"}, `duplicate platform "linux/amd64"`},
		"no such platform": {[]Image{image}, []string{"linux/s390x"}, `want platform "linux/s390x", got ["linux/amd64" "linux/arm64"]`},
		"not for one":      {[]Image{one}, []string{"linux/arm64"}, `want platform ["linux/arm64"], got "linux/amd64"`},
		"not for both":     {[]Image{one}, []string{"linux/arm64", "linux/amd64"}, `got only "linux/amd64"`},
		"no registry":      {[]Image{{"hyperkube:v1", image.Dir}}, nil, "want a name like"},
		"no tag":           {[]Image{{"registry.example/hyperkube", image.Dir}}, nil, "want a name like"},
		"digest":           {[]Image{{node + "@" + sum(nil), image.Dir}}, nil, "want a name like"},
		"newline":          {[]Image{{node + "\n", image.Dir}}, nil, "want a name like"},
		"dot dot":          {[]Image{{"registry.example/../x:v1", image.Dir}}, nil, "want a name like"},
		"upper case":       {[]Image{{"registry.example/X:v1", image.Dir}}, nil, "want a name like"},
		"tag with dot":     {[]Image{{"registry.example/x:.v1", image.Dir}}, nil, "want a name like"},
		"no layout":        {[]Image{{node, filepath.Join(image.Dir, "none")}}, nil, "want the directory of an OCI layout"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := New(test.images, test.platforms); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	for _, s := range []string{"", node, node + "=", "=dir", "x=dir"} {
		if image, err := ParseImage(s); err == nil {
			t.Errorf("%q was parsed as %+v", s, image)
		}
	}
	if got, err := ParseImage(node + "=a=b"); err != nil || got != (Image{node, "a=b"}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Indexes of other builders have attestations, and several entries for a platform.
func TestOtherPlatforms(t *testing.T) {
	entry := func(os, arch string) string {
		return `{"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 7, "digest": "` + sum([]byte("missing")) + `", "platform": {"os": "` + os + `", "architecture": "` + arch + `"}},`
	}
	for name, test := range map[string]struct {
		more      string
		platforms []string
		want      string
	}{
		"attestations": {entry("unknown", "unknown") + entry("unknown", "unknown"), nil, ""},
		"not selected": {entry("windows", "amd64") + entry("windows", "amd64"), []string{"linux/amd64"}, ""},
		"duplicate":    {entry("linux", "s390x") + entry("linux", "s390x"), nil, "Fix: select platforms with --platform"},
		"missing":      {entry("linux", "s390x"), nil, "no such file"},
	} {
		image := writeIndex(t, node)
		reseal(t, image.Dir, indexOf(t, image.Dir), `"manifests": [`, `"manifests": [`+test.more)
		_, err := New([]Image{image}, test.platforms)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

// A layer that changes or disappears after New is an error.
func TestChangedLayer(t *testing.T) {
	for _, c := range compressions {
		for what, corrupt := range map[string]func(*testing.T, string){
			"flipped": flip,
			"removed": remove,
			"longer":  func(t *testing.T, file string) { write(t, file, append(read(t, file), 'x')) },
			"shorter": func(t *testing.T, file string) { write(t, file, read(t, file)[:100]) },
		} {
			image := writeIndex(t, node)
			a, err := New([]Image{image}, nil)
			if err != nil {
				t.Fatal(err)
			}
			file := layerOf(t, image.Dir)
			corrupt(t, file)
			err = a.Write(t.Context(), io.Discard, c, nil)
			if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "Fix: build the image again") {
				t.Errorf("%s, %s: got %v", c, what, err)
			}
		}
	}
}

// Errors of the writer and the context are returned.
func TestWriteFails(t *testing.T) {
	a, err := New([]Image{large(t, 9<<20)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk full")
	for _, c := range compressions {
		if err := a.Write(t.Context(), &bounded{1 << 20, full}, c, nil); !errors.Is(err, full) {
			t.Errorf("%s: got %v", c, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		err := a.Write(ctx, io.Discard, c, func(int64) { cancel() })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", c, err)
		}
	}
}

type bounded struct {
	left int
	err  error
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, b.err
	}
	return len(p), nil
}
