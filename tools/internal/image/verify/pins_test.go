package verify

import (
	"archive/tar"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
)

func TestLayoutWithPins(t *testing.T) {
	for _, compression := range []string{"gzip", "zstd"} {
		dir, image, built := build(t, strings.Replace(manifest, "    entrypoint:", "    pins: /etc/pins.json\n    compression: "+compression+"\n    entrypoint:", 1), nil)
		findings, err := Layout(t.Context(), dir, image, record.Records{image.Name(): built}, nil, nil)
		if err != nil || len(findings) != 4 || findings[3].Path != "/etc/pins.json" || findings[3].Content != "2 pins" {
			t.Errorf("got %v, %v", findings, err)
		}
	}
}

// The file of pins has the mode and the bytes that the image's pins determine.
func TestCheckPins(t *testing.T) {
	pin := versions.Layer{Pin: versions.Pin{FileKey: versions.FileKey{Source: "programs", File: "sleep"}}}
	want := versions.Layer{Pinned: []versions.Layer{pin}, Path: "/pins.json", Mode: 0o644}
	good := string(want.PinsFile())
	for name, test := range map[string]struct {
		header  tar.Header
		content string
		want    string // error; "" for none
	}{
		"unchanged":    {tar.Header{Mode: 0o644}, good, ""},
		"mode":         {tar.Header{Mode: 0o755}, good, "/pins.json: want mode 0644, got 0755"},
		"another name": {tar.Header{Mode: 0o644, Name: "pins"}, good, `want /pins.json, got "pins"`},
		"another pin":  {tar.Header{Mode: 0o644}, strings.Replace(good, "sleep", "sloop", 1), "/pins.json: want a file with 1 pins of the image, got type '0', "},
		"type":         {tar.Header{Mode: 0o644, Typeflag: tar.TypeCont}, good, "want a file with 1 pins of the image, got type '7'"},
		"symlink":      {tar.Header{Mode: 0o644, Typeflag: tar.TypeSymlink, Linkname: "x"}, "", "want a file with 1 pins of the image, got type '2', 0 bytes"},
		"too large":    {tar.Header{Mode: 0o644}, strings.Repeat(" ", 2<<20), "want at most 1048576 bytes, got more"},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			w := tar.NewWriter(&b)
			if test.header.Name == "" {
				test.header.Name = "pins.json"
			}
			test.header.Size = int64(len(test.content))
			if err := w.WriteHeader(&test.header); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(w, test.content); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
			if err != nil {
				t.Fatal(err)
			}
			_, err = (&inspector{}).checkLayer(t.Context(), versions.Platform{}, want, layer)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
