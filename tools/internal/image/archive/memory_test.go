package archive

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
	"github.com/hyperkube/hyperkube/tools/internal/image/oci"
	"github.com/hyperkube/hyperkube/versions"
)

// large writes the layout of an image with one layer of about that size.
func large(t testing.TB, size int64) Image {
	t.Helper()
	dir := t.TempDir()
	blobs := filepath.Join(dir, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(dir, "layer"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := layer.Write(t.Context(), out, versions.Zstd, layer.Entry{Path: "/f", Mode: 0o755, Size: size, Content: io.LimitReader(&noise{}, size)})
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	m, err := oci.Compose(oci.ImageSpec{OS: "linux", Arch: "amd64", Layers: []oci.Layer{{Descriptor: d, Label: "//f"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := oci.WriteImage(dir, m, func(_, to string) error { return os.Rename(out.Name(), to) }); err != nil {
		t.Fatal(err)
	}
	return Image{node, dir}
}

// noise reads bytes of which half are random.
type noise struct{ state uint64 }

func (n *noise) Read(p []byte) (int, error) {
	for i := range p {
		n.state = n.state*6364136223846793005 + 1442695040888963407
		p[i] = 0
		if i%2 == 0 {
			p[i] = byte(n.state >> 56)
		}
	}
	return len(p), nil
}

// With the memory limit of the programs, memory stays under the promised 64 MiB
// whatever the size of the images.
func TestWriteMemory(t *testing.T) {
	const size, limit = 96 << 20, 64 << 20
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(layer.MemoryLimit))
	image := large(t, size)
	for _, c := range compressions {
		a, err := New([]Image{image}, nil)
		if err != nil {
			t.Fatal(err)
		}
		debug.FreeOSMemory() // memory of other tests counts towards the limit
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		var peak uint64
		sample := func(int64) {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
		}
		if err := a.Write(t.Context(), io.Discard, c, sample); err != nil {
			t.Fatal(err)
		}
		if used := int64(peak) - int64(before.HeapInuse); used > limit {
			t.Errorf("%s: %d MiB in use, more than %d", c, used>>20, limit>>20)
		} else {
			t.Logf("%s: %d MiB in use at most for %d", c, used>>20, a.Contents.Size>>20)
		}
	}
}
