package inspect

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"hash/maphash"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/tools/internal/decompress"
	"github.com/hyperkube/hyperkube/tools/internal/identify"
)

// Bounds of a layer.
const (
	maxLinks  = 100_000 // hard links
	chunkSize = 128 << 10
)

// limits bound a layer.
type limits struct {
	entries int
	bytes   int64 // uncompressed
	// A layer of more than small uncompressed bytes has at most ratio times the
	// compressed ones. Layers of real files are far below.
	small, ratio int64
}

var defaultLimits = limits{entries: 1_000_000, bytes: 16 << 30, small: 1 << 30, ratio: 200}

// layer is what was found in a layer.
type layer struct {
	digest, diffID string // "sha256:HEX", computed
	size           int64  // of the blob
	files          []File // that are listed
	links          [][2]string
	covered        []uint64 // sorted hashes of the paths that hide those in lower layers
	others         Others
	problem        error // in the content; the layer is not complete then
}

// scanner scans layers.
type scanner struct {
	index *identify.Index
	all   bool // list all files
	limits
}

// scan reads a layer. The error is one of reading, and says nothing about the layer.
func (s scanner) scan(ctx context.Context, blob io.Reader) (*layer, error) {
	l := &layer{}
	compressed := &hashingReader{r: ctxio.NewReader(ctx, blob), hash: sha256.New(), limits: s.limits}
	l.problem = s.scanContent(l, compressed)
	if l.problem == nil {
		// A decompressor may leave bytes behind the end.
		_, l.problem = io.Copy(io.Discard, compressed)
	}
	if compressed.err != nil {
		return nil, compressed.err
	}
	l.digest, l.size = compressed.digest(), compressed.n
	slices.Sort(l.covered)
	return l, nil
}

func (s scanner) scanContent(l *layer, compressed *hashingReader) error {
	content, _, err := decompress.NewReader(compressed)
	if err != nil {
		return fmt.Errorf("decompressing: %w", err)
	}
	defer content.Close()
	plain := &hashingReader{r: content, hash: sha256.New(), compressed: compressed}
	if err := s.scanTar(l, tar.NewReader(plain), compressed); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return fmt.Errorf("decompressing: %w", err)
	}
	l.diffID = plain.digest()
	return nil
}

func (s scanner) scanTar(l *layer, t *tar.Reader, compressed *hashingReader) error {
	facts := identify.NewScanner()
	buf := make([]byte, chunkSize)
	total := &counter{compressed: compressed}
	for n := 0; ; n++ {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading tar after %d entries: %w", n, err)
		case n == s.entries:
			return fmt.Errorf("want at most %d entries, got more", s.entries)
		}
		name := path.Clean("/" + h.Name)
		if l.cover(name, h.Typeflag) {
			continue
		}
		switch h.Typeflag {
		case tar.TypeLink:
			if len(l.links) == maxLinks {
				return fmt.Errorf("want at most %d hard links, got more", maxLinks)
			}
			l.links = append(l.links, [2]string{name, path.Clean("/" + h.Linkname)})
		case tar.TypeReg, tar.TypeGNUSparse:
			facts.Reset()
			if _, err := io.CopyBuffer(io.MultiWriter(facts, total), struct{ io.Reader }{t}, buf); err != nil {
				return fmt.Errorf("reading %q: %w", name, err)
			}
			s.add(l, name, h.Mode, facts.Facts())
		}
	}
}

// add adds a file, or counts it.
func (s scanner) add(l *layer, name string, mode int64, facts identify.Facts) {
	a := s.index.Judge(name, facts)
	named := mode&0o111 != 0 && s.index.IsProgram(path.Base(name))
	f := File{
		Path: name, Size: facts.Size, SHA256: facts.SHA256, Verdict: a.Verdict, Nearest: a.Nearest,
		kubernetes: named || a.Verdict == identify.Differs,
	}
	if len(a.Pins) > 0 {
		f.Pin = &a.Pins[0]
	} else if f.kubernetes || s.all {
		f.Program, f.Notes = facts.Program, a.Notes
	}
	if f.Pin != nil || f.kubernetes || s.all {
		l.files = append(l.files, f)
		return
	}
	l.others.Files++
	l.others.Bytes += facts.Size
	if facts.Format == identify.ELF {
		l.others.ELF++
	}
}

const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
)

var seed = maphash.MakeSeed()

// cover notes that an entry hides files of lower layers, and reports whether it is a
// whiteout, which is no file itself.
func (l *layer) cover(name string, kind byte) bool {
	dir, base := path.Split(name)
	switch {
	case base == opaque:
		l.covered = append(l.covered, maphash.String(seed, dir))
	case strings.HasPrefix(base, whiteout):
		l.covered = append(l.covered, maphash.String(seed, dir+strings.TrimPrefix(base, whiteout)))
	case kind != tar.TypeDir:
		l.covered = append(l.covered, maphash.String(seed, name))
		return false
	default:
		return false
	}
	return true
}

// hides reports whether the layer hides a file of a lower one.
func (l *layer) hides(name string) bool {
	has := func(text string) bool {
		_, ok := slices.BinarySearch(l.covered, maphash.String(seed, text))
		return ok
	}
	for ; len(name) > 1; name = path.Dir(name) {
		dir, _ := path.Split(name)
		if has(name) || has(dir) { // dir ends with a slash: the mark of an opaque directory
			return true
		}
	}
	return false
}

// hashingReader hashes and counts what it reads.
type hashingReader struct {
	r    io.Reader
	hash hash.Hash
	n    int64
	err  error // other than EOF
	limits
	// compressed, unless nil, is the reader before the decompressor, whose bytes bound
	// those after it.
	compressed *hashingReader
}

func (h *hashingReader) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.hash.Write(p[:n])
	h.n += int64(n)
	if h.compressed != nil {
		if err := h.compressed.checkRatio(h.n); err != nil {
			return 0, err
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		h.err = err
	}
	return n, err
}

// counter counts the bytes of files. A file with holes has more bytes than the tar.
type counter struct {
	n          int64
	compressed *hashingReader
}

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), c.compressed.checkRatio(c.n)
}

// checkRatio checks the number of uncompressed bytes so far.
func (h *hashingReader) checkRatio(n int64) error {
	if n > h.limits.bytes {
		return fmt.Errorf("want at most %d bytes in a layer, got more", h.limits.bytes)
	}
	if n > h.small && n/h.ratio > h.n {
		return fmt.Errorf("want at most %d times the compressed bytes, got %d bytes of %d", h.ratio, n, h.n)
	}
	return nil
}

func (h *hashingReader) digest() string { return fmt.Sprintf("sha256:%x", h.hash.Sum(nil)) }
