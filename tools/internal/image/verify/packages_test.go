package verify

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/debian/debtest"
	"github.com/hyperkube/hyperkube/tools/internal/debian/packagelayer"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

func TestLayoutWithPackages(t *testing.T) {
	manifest := strings.NewReplacer(
		"ARCH", "amd64",
		"flavors:\n", "debian:\n  suite: trixie\n  sets:\n    low: {packages: [tool]}\nflavors:\n",
		"/bin/wake", "/usr/bin/wake", ": bin/wake", ": usr/bin/wake",
		"    entrypoint:", "    packages: low\n    entrypoint:",
	).Replace(manifest)
	dir := t.TempDir() // of the packages
	f, image := setupWith(t, manifest, nil, func(lock *versions.Lock, files store.Store) {
		p := debtest.Package{Name: "tool", Files: []debtest.Entry{debtest.File("./usr/tool", "x")}}
		raw := p.Build(t, "")
		pin := p.Pin(t, "low", raw)
		if err := files.Put(t.Context(), pin.SHA256, pin.Size, "tool", bytes.NewReader(raw)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "tool.deb"), raw, 0o644); err != nil {
			t.Fatal(err)
		}
		lock.SetPackages([]versions.PackagePin{pin}, []versions.Snapshot{{Suite: "trixie", Archive: "debian", Time: "20261128T000000Z"}})
	})
	layout, built := assembleImage(t, f, image)
	for _, open := range []packagelayer.Opener{f.OpenPackage, packagelayer.Dir(dir)} {
		findings, err := Layout(t.Context(), layout, image, record.Records{image.Name(): built}, nil, open)
		if err != nil || len(findings) != 4 || findings[0].Content != "1 Debian packages of the set low" {
			t.Errorf("got %v, %v", findings, err)
		}
	}
	for _, open := range []packagelayer.Opener{nil, packagelayer.Dir(t.TempDir()), packagelayer.Dir(filepath.Join(dir, "none"))} {
		if _, err := Layout(t.Context(), layout, image, nil, nil, open); err == nil || !Incomplete(err) {
			t.Errorf("without packages: got %v, want an incomplete check", err)
		}
	}
	// Another declaration gives another layer.
	changed := *image.Builds[0].Layers[0].Packages
	changed.Sets = []versions.PackageSet{changed.Sets[0]}
	changed.Sets[0].Symlinks = []versions.Symlink{{Path: "/etc/more", Target: "tool"}}
	image.Builds[0].Layers[0].Packages = &changed
	if _, err := Layout(t.Context(), layout, image, nil, nil, f.OpenPackage); err == nil || Incomplete(err) || !strings.Contains(err.Error(), "of 1 packages, got sha256:") {
		t.Errorf("another layer: got %v", err)
	}
}
