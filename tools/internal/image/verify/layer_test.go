package verify

import (
	"archive/tar"
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/hyperkube/hyperkube/versions"
)

// Every header field that could differ between two builds is checked.
func TestCheckLayerHeader(t *testing.T) {
	want := versions.Layer{Symlinks: []versions.Symlink{{Path: "/kubectl", Target: "hyperkube"}}}
	for name, test := range map[string]struct {
		change func(*tar.Header)
		want   string // error; "" for none
	}{
		"unchanged":  {func(*tar.Header) {}, ""},
		"name":       {func(h *tar.Header) { h.Name = "kubelet" }, `want /kubectl, got "kubelet"`},
		"mode":       {func(h *tar.Header) { h.Mode = 0o755 }, "want mode 0777, got 0755"},
		"setuid":     {func(h *tar.Header) { h.Mode |= 0o4000 }, "want mode 0777, got 4777"},
		"uid":        {func(h *tar.Header) { h.Uid = 1000 }, `want owner 0:0, got 1000:0 ("":"")`},
		"gid":        {func(h *tar.Header) { h.Gid = 100 }, `want owner 0:0, got 0:100 ("":"")`},
		"user name":  {func(h *tar.Header) { h.Uname = "root" }, `want owner 0:0, got 0:0 ("root":"")`},
		"group name": {func(h *tar.Header) { h.Gname = "root" }, `want owner 0:0, got 0:0 ("":"root")`},
		"mtime":      {func(h *tar.Header) { h.ModTime = time.Unix(1, 0) }, "want modification time 0, got 1970-01-01"},
		"type":       {func(h *tar.Header) { h.Typeflag = tar.TypeLink }, `want a symlink to "hyperkube", got type '1'`},
		"target":     {func(h *tar.Header) { h.Linkname = "/hyperkube" }, `want a symlink to "hyperkube", got type '2' to "/hyperkube"`},
	} {
		t.Run(name, func(t *testing.T) {
			h := &tar.Header{Typeflag: tar.TypeSymlink, Name: "kubectl", Linkname: "hyperkube", Mode: 0o777}
			test.change(h)
			var b bytes.Buffer
			w := tar.NewWriter(&b)
			if err := w.WriteHeader(h); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
			if err != nil {
				t.Fatal(err)
			}
			i := &inspector{}
			err = i.checkLayer(t.Context(), versions.Platform{}, want, layer)
			if test.want == "" && (err != nil || len(i.findings) != 1) {
				t.Errorf("got %v, %v, want one finding", i.findings, err)
			}
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
