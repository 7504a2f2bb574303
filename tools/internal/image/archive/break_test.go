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

// replace changes a text in the file of a layout that has it.
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

// reseal changes a document of a layout and gives everything above it the new
// digest: what somebody would do who means harm.
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
	// Sizes stand on the line before or after the digest.
	text := strings.Replace(string(read(t, parent)), oldSum, newSum, 1)
	at := strings.Index(text, newSum)
	start, end := max(0, at-80), min(len(text), at+160)
	around := strings.Replace(text[start:end], fmt.Sprintf(`"size": %d`, oldSize), fmt.Sprintf(`"size": %d`, len(raw)), 1)
	reseal(t, dir, parent, string(read(t, parent)), text[:start]+around+text[end:])
}

// mentions is the file of a layout that has a text.
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
		harm func(t *testing.T, dir string)
		want string
	}{
		"no layout":       {func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "oci-layout")) }, "want the folder of an OCI layout"},
		"another version": {func(t *testing.T, dir string) { replace(t, dir, `"1.0.0"`, `"2.0.0"`) }, `want the layout's version 1.0.0, got "2.0.0"`},
		"no index":        {func(t *testing.T, dir string) { remove(t, top(dir)) }, "no such file"},
		"torn index":      {func(t *testing.T, dir string) { write(t, top(dir), []byte(`{"manifests": [`)) }, "unexpected end of JSON"},
		"two images": {func(t *testing.T, dir string) {
			write(t, top(dir), []byte(`{"manifests": [{}, {}]}`))
		}, "want the layout of one image, got 2"},
		"no image":   {func(t *testing.T, dir string) { write(t, top(dir), []byte(`{}`)) }, "want the layout of one image, got 0"},
		"no digest":  {func(t *testing.T, dir string) { replace(t, dir, `"digest"`, `"digset"`) }, "named without a digest"},
		"other type": {func(t *testing.T, dir string) { reseal(t, dir, top(dir), "image.index", "image.layer") }, "want an index or a manifest"},
		"digest that climbs": {func(t *testing.T, dir string) {
			reseal(t, dir, top(dir), "sha256:", "sha256:../../../../etc/passwd#")
		}, "not a sha256"},
		"digest that is a path": {func(t *testing.T, dir string) { reseal(t, dir, top(dir), "sha256:", "sha256:/") }, "not a sha256"},
		"another algorithm":     {func(t *testing.T, dir string) { reseal(t, dir, top(dir), "sha256:", "sha512:") }, "not a digest like sha256:"},
		"size below zero":       {func(t *testing.T, dir string) { reseal(t, dir, top(dir), `"size": `, `"size": -`) }, "got -"},
		"size without measure": {func(t *testing.T, dir string) {
			reseal(t, dir, top(dir), `"size": `, `"size": 99999999`)
		}, "bytes, got 99999999"},
		"flipped document": {func(t *testing.T, dir string) { flip(t, mentions(t, dir, `"layers": [`)) }, "want sha256"},
		"missing document": {func(t *testing.T, dir string) { remove(t, mentions(t, dir, `"diff_ids"`)) }, "is missing"},
		"missing layer":    {func(t *testing.T, dir string) { remove(t, layerOf(t, dir)) }, "is missing"},
		"shorter layer": {func(t *testing.T, dir string) {
			if err := os.Truncate(layerOf(t, dir), 100); err != nil {
				t.Fatal(err)
			}
		}, "bytes, got 100"},
		"layer that is a folder": {func(t *testing.T, dir string) {
			file := layerOf(t, dir)
			remove(t, file)
			if err := os.Mkdir(file, 0o755); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		"layer that is a pipe": {func(t *testing.T, dir string) {
			file := layerOf(t, dir)
			remove(t, file)
			if err := unix.Mkfifo(file, 0o644); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		"index that is a pipe": {func(t *testing.T, dir string) {
			remove(t, top(dir))
			if err := unix.Mkfifo(top(dir), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		"layer that is a device": {func(t *testing.T, dir string) { link(t, layerOf(t, dir), "/dev/zero") }, "not a regular file"},
		"link to itself":         {func(t *testing.T, dir string) { file := layerOf(t, dir); link(t, file, file) }, "too many levels"},
		"link to nowhere":        {func(t *testing.T, dir string) { link(t, layerOf(t, dir), "nowhere") }, "is missing"},
		"document out of the folder": {func(t *testing.T, dir string) {
			secret := filepath.Join(t.TempDir(), "secret")
			write(t, secret, bytes.Repeat([]byte("s"), len(read(t, mentions(t, dir, `"diff_ids"`)))))
			link(t, mentions(t, dir, `"diff_ids"`), secret)
		}, "want sha256"},
		"endless index": {func(t *testing.T, dir string) {
			if err := os.Truncate(top(dir), maxDocument+1); err != nil {
				t.Fatal(err)
			}
		}, "want up to"},
		"endless document": {func(t *testing.T, dir string) {
			if err := os.Truncate(mentions(t, dir, `"architecture"`), maxDocument+1); err != nil {
				t.Fatal(err)
			}
		}, "bytes, got"},
		"large document": {func(t *testing.T, dir string) {
			reseal(t, dir, indexOf(t, dir), "{", "{"+strings.Repeat(" ", maxDocument))
		}, "want a document of up to"},
		"index in an index": {func(t *testing.T, dir string) {
			reseal(t, dir, mentions(t, dir, `"architecture": "arm64"`), "image.manifest", "image.index")
		}, "want the manifest of an image"},
		"another architecture": {func(t *testing.T, dir string) {
			reseal(t, dir, mentions(t, dir, `"diff_ids"`), `"linux"`, `"plan9"`)
		}, `got "plan9/`},
		"a platform twice": {func(t *testing.T, dir string) {
			reseal(t, dir, indexOf(t, dir), `"arm64"`, `"amd64"`)
		}, `it has the platform "linux/amd64" twice`},
		"no platform": {func(t *testing.T, dir string) {
			reseal(t, dir, indexOf(t, dir), `"platform"`, `"platfrom"`)
		}, "want the manifest of an image and its platform"},
		"a layer too few": {func(t *testing.T, dir string) {
			reseal(t, dir, mentions(t, dir, `"diff_ids"`), `"diff_ids"`, `"diff_ids": [], "x"`)
		}, "want as many layers as diffIDs"},
		"nothing in the index": {func(t *testing.T, dir string) {
			reseal(t, dir, indexOf(t, dir), `"manifests"`, `"none"`)
		}, "it has no manifests"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			image := lay(t, node)
			test.harm(t, image.Dir)
			_, err := New([]Image{image, lay(t, tool)}, nil)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), node) {
				t.Errorf("got %v, want %q of %q", err, test.want, node)
			}
		})
	}
}

// indexOf is the index of a layout's image.
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
	t.Fatal("there is no index")
	return ""
}

func link(t *testing.T, file, target string) {
	t.Helper()
	remove(t, file)
	if err := os.Symlink(target, file); err != nil {
		t.Fatal(err)
	}
}

// Two layouts that tell two sizes of one blob: one of them lies.
func TestTwoSizes(t *testing.T) {
	a, b := lay(t, node), lay(t, tool)
	file := layerOf(t, b.Dir)
	size := len(read(t, file))
	reseal(t, b.Dir, mentions(t, b.Dir, filepath.Base(file)), fmt.Sprintf(`"size": %d`, size), fmt.Sprintf(`"size": %d`, size+1))
	write(t, file, append(read(t, file), 0))
	_, err := New([]Image{a, b}, nil)
	if err == nil || !strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("got %v", err)
	}
}

func TestBadImages(t *testing.T) {
	image := lay(t, node)
	one := layOne(t, tool)
	tests := map[string]struct {
		images    []Image
		platforms []string
		want      string
	}{
		"none":             {nil, nil, "there are no images"},
		"twice":            {[]Image{image, image}, nil, "there are two images"},
		"platform twice":   {[]Image{image}, []string{"linux/amd64", "linux/amd64"}, `"linux/amd64" is named twice`},
		"no such platform": {[]Image{image}, []string{"linux/s390x"}, `want the platform "linux/s390x", got ["linux/amd64" "linux/arm64"]`},
		"not for one":      {[]Image{one}, []string{"linux/arm64"}, `want the platform ["linux/arm64"], got "linux/amd64"`},
		"not for both":     {[]Image{one}, []string{"linux/arm64", "linux/amd64"}, `got "linux/amd64" alone`},
		"no registry":      {[]Image{{"hyperkube:v1", image.Dir}}, nil, "not a name like"},
		"no tag":           {[]Image{{"registry.example/hyperkube", image.Dir}}, nil, "not a name like"},
		"digest":           {[]Image{{node + "@" + sum(nil), image.Dir}}, nil, "not a name like"},
		"newline":          {[]Image{{node + "\n", image.Dir}}, nil, "not a name like"},
		"climbing":         {[]Image{{"registry.example/../x:v1", image.Dir}}, nil, "not a name like"},
		"upper case":       {[]Image{{"registry.example/X:v1", image.Dir}}, nil, "not a name like"},
		"tag of a dot":     {[]Image{{"registry.example/x:.v1", image.Dir}}, nil, "not a name like"},
		"no folder":        {[]Image{{node, filepath.Join(image.Dir, "none")}}, nil, "want the folder of an OCI layout"},
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
			t.Errorf("%q was read as %+v", s, image)
		}
	}
	if got, err := ParseImage(node + "=a=b"); err != nil || got != (Image{node, "a=b"}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Indexes of others have what no archive is made for: entries for systems of
// several versions, and what a builder says of its images.
func TestOtherPlatforms(t *testing.T) {
	entry := func(os, arch string) string {
		return `{"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 7, "digest": "` + sum([]byte("there is none")) + `", "platform": {"os": "` + os + `", "architecture": "` + arch + `"}},`
	}
	for name, test := range map[string]struct {
		more      string
		platforms []string
		want      string
	}{
		"attestations":     {entry("unknown", "unknown") + entry("unknown", "unknown"), nil, ""},
		"unwanted":         {entry("windows", "amd64") + entry("windows", "amd64"), []string{"linux/amd64"}, ""},
		"wanted, twice":    {entry("linux", "s390x") + entry("linux", "s390x"), nil, "twice; -platform leaves out"},
		"wanted, and gone": {entry("linux", "s390x"), nil, "no such file"},
	} {
		image := lay(t, node)
		reseal(t, image.Dir, indexOf(t, image.Dir), `"manifests": [`, `"manifests": [`+test.more)
		_, err := New([]Image{image}, test.platforms)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

// A layer that changes after it was looked at makes an error, whatever the
// compression, and so does one that goes.
func TestChangedLayer(t *testing.T) {
	for _, c := range compressions {
		for what, harm := range map[string]func(*testing.T, string){
			"flipped": flip,
			"gone":    remove,
			"longer":  func(t *testing.T, file string) { write(t, file, append(read(t, file), 'x')) },
			"shorter": func(t *testing.T, file string) { write(t, file, read(t, file)[:100]) },
		} {
			image := lay(t, node)
			a, err := New([]Image{image}, nil)
			if err != nil {
				t.Fatal(err)
			}
			file := layerOf(t, image.Dir)
			harm(t, file)
			err = a.Write(t.Context(), io.Discard, c, nil)
			if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "build the image again") {
				t.Errorf("%s, %s: got %v", c, what, err)
			}
		}
	}
}

// A full disk and an interrupt are told as what they are.
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
