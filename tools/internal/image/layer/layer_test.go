package layer

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/hyperkube/hyperkube/tools/internal/golden"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/klauspost/compress/zstd"
)

var compressions = []versions.Compression{versions.Gzip, versions.Zstd}

// content returns size bytes that compress about as well as a binary.
func content(size int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, size)
	for i := 0; i < size; i++ {
		b[i] = byte(r.IntN(256)) & byte(i>>7) & 0x3f
	}
	return b
}

func write(t *testing.T, c versions.Compression, entries ...Entry) ([]byte, Descriptor) {
	t.Helper()
	var out bytes.Buffer
	d, err := Write(context.Background(), &out, c, entries...)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), d
}

func decompress(t *testing.T, b []byte, c versions.Compression) []byte {
	t.Helper()
	var r io.Reader
	var err error
	if c == versions.Gzip {
		r, err = gzip.NewReader(bytes.NewReader(b))
	} else {
		r, err = zstd.NewReader(bytes.NewReader(b))
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sum(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }

func TestWrite(t *testing.T) {
	sizes := []int{0, 1, 511, 512, 513, gzipBlock - 512, gzipBlock, zstdFrame - 512, zstdFrame - 511, zstdFrame, 3*zstdFrame + 7}
	for _, c := range compressions {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s/%d", c, size), func(t *testing.T) {
				want := content(size)
				blob, d := write(t, c, Entry{Path: "/usr/local/bin/kubectl", Mode: 0o755, Size: int64(size), Content: bytes.NewReader(want)})
				plain := decompress(t, blob, c)
				if got := sum(blob); d.Digest != got || d.Size != int64(len(blob)) {
					t.Errorf("digest %s of %d bytes, want %s of %d", d.Digest, d.Size, got, len(blob))
				}
				if got := sum(plain); d.DiffID != got {
					t.Errorf("diffID %s, want %s", d.DiffID, got)
				}
				r := tar.NewReader(bytes.NewReader(plain))
				h, err := r.Next()
				if err != nil {
					t.Fatal(err)
				}
				if h.Name != "usr/local/bin/kubectl" || h.Typeflag != tar.TypeReg || h.Mode != 0o755 || h.Uid != 0 || h.Gid != 0 ||
					h.Uname != "" || h.Gname != "" || h.ModTime.Unix() != 0 || h.Format != tar.FormatUSTAR {
					t.Errorf("header %+v", h)
				}
				if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
					t.Errorf("content differs (%d bytes, %v)", len(got), err)
				}
				if _, err := r.Next(); err != io.EOF {
					t.Errorf("after the file: %v, want EOF", err)
				}
			})
		}
	}
}

// The bytes must not depend on the number of processors or the size of reads.
func TestWriteIsDeterministic(t *testing.T) {
	data := content(2*zstdFrame + 12345)
	for _, c := range compressions {
		var first []byte
		for _, procs := range []int{1, 2, 7} {
			for _, read := range []func(io.Reader) io.Reader{
				func(r io.Reader) io.Reader { return r },
				iotest.HalfReader,
				iotest.DataErrReader,
			} {
				before := runtime.GOMAXPROCS(procs)
				blob, _ := write(t, c, Entry{Path: "/f", Mode: 0o755, Size: int64(len(data)), Content: read(bytes.NewReader(data))})
				runtime.GOMAXPROCS(before)
				if first == nil {
					first = blob
				}
				if !bytes.Equal(first, blob) {
					t.Fatalf("%s: different bytes with %d processors", c, procs)
				}
			}
		}
	}
}

// A change of these digests would change the digest of every image.
func TestWriteGolden(t *testing.T) {
	var got strings.Builder
	for _, c := range compressions {
		data := content(zstdFrame + 99)
		_, d := write(t, c, Entry{Path: "/kubectl", Mode: 0o755, Size: int64(len(data)), Content: bytes.NewReader(data)})
		fmt.Fprintf(&got, "file %s %+v\n", c, d)
		_, d = write(t, c, Symlinks([]versions.Symlink{{Path: "/a", Target: "/hyperkube"}, {Path: "/usr/b", Target: "../a"}})...)
		fmt.Fprintf(&got, "symlinks %s %+v\n", c, d)
	}
	golden.File(t, filepath.Join("testdata", "golden.txt"), []byte(got.String()))
}

func TestWriteFails(t *testing.T) {
	broken := errors.New("broken")
	text := func(s string) func() io.Reader { return func() io.Reader { return strings.NewReader(s) } }
	tests := map[string]struct {
		w    io.Writer
		r    func() io.Reader
		size int64
		want string
	}{
		"too short":     {io.Discard, text("abc"), 4, "want 4 bytes, got 3"},
		"too long":      {io.Discard, text("abcde"), 4, "want 4 bytes, got more"},
		"broken reader": {io.Discard, func() io.Reader { return iotest.ErrReader(broken) }, 4, "broken"},
		"broken writer": {failing{broken}, func() io.Reader { return bytes.NewReader(content(5 * zstdFrame)) }, 5 * zstdFrame, "broken"},
	}
	for name, test := range tests {
		for _, c := range compressions {
			t.Run(fmt.Sprintf("%s/%s", name, c), func(t *testing.T) {
				_, err := Write(context.Background(), test.w, c, Entry{Path: "/f", Size: test.size, Content: test.r()})
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %q", err, test.want)
				}
			})
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Write(ctx, io.Discard, versions.Gzip, Entry{Path: "/f", Size: 1, Content: strings.NewReader("a")}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// With the memory limit of the programs, memory stays under the promised 64 MiB
// whatever the size of the file.
func TestWriteMemory(t *testing.T) {
	const size, limit = 128 << 20, 64 << 20
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(MemoryLimit))
	for _, c := range compressions {
		var peak uint64
		r := &sampling{r: io.LimitReader(&repeat{data: content(1 << 20)}, size), peak: &peak}
		debug.FreeOSMemory() // memory of other tests counts towards the limit
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := Write(context.Background(), io.Discard, c, Entry{Path: "/f", Size: size, Content: r}); err != nil {
			t.Fatal(err)
		}
		if used := peak - before.HeapInuse; used > limit {
			t.Errorf("%s: %d MiB in use, more than %d", c, used>>20, limit>>20)
		} else {
			t.Logf("%s: %d MiB in use at most", c, used>>20)
		}
	}
}

type repeat struct {
	data []byte
	at   int
}

func (r *repeat) Read(p []byte) (int, error) {
	n := copy(p, r.data[r.at:])
	r.at = (r.at + n) % len(r.data)
	return n, nil
}

type sampling struct {
	r    io.Reader
	peak *uint64
	n    int
}

func (s *sampling) Read(p []byte) (int, error) {
	if s.n++; s.n%16 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		*s.peak = max(*s.peak, m.HeapInuse)
	}
	return s.r.Read(p)
}
