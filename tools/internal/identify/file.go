package identify

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/tools/internal/decompress"
)

// Bounds of files in bytes.
const (
	maxFile         = 4 << 30 // that is read
	maxDecompressed = 1 << 30 // of the content of a compressed file
	chunkSize       = 256 << 10
)

// File answers for a file. It follows a symlink, and reads the content of a
// compressed file, too.
func (i *Index) File(ctx context.Context, input, path string) (Answer, error) {
	facts, err := scanFile(ctx, path, nil)
	if err != nil {
		return Answer{}, fmt.Errorf("reading %q: %w", path, err)
	}
	a := i.judgeHere(input, facts)
	if a.Verdict.OK() || !readable(decompress.Format(facts.Format)) {
		return a, nil
	}
	content, err := scanFile(ctx, path, func(r io.Reader) (io.ReadCloser, error) {
		c, _, err := decompress.NewReader(r)
		return c, err
	})
	if ctx.Err() != nil {
		return Answer{}, ctx.Err()
	}
	if err != nil {
		a.Notes = append(a.Notes, fmt.Sprintf("damaged: decompressing: %v", err))
		return a, nil
	}
	inner := i.Judge("", content)
	a.Compressed = &inner
	a.Notes = append(a.Notes, string(facts.Format)+": see its content; unpack the file before use")
	return a, nil
}

// judgeHere answers for a file on this machine.
func (i *Index) judgeHere(input string, f Facts) Answer {
	a := i.Judge(input, f)
	machine := runtime.GOOS + "/" + runtime.GOARCH
	if p := f.Program; p != nil && p.Platform != "" && p.Platform != machine && a.Verdict != NotFound {
		a.Notes = append(a.Notes, fmt.Sprintf("built for %s; this machine is %s", p.Platform, machine))
	}
	return a
}

func readable(f decompress.Format) bool {
	return slices.Contains([]decompress.Format{decompress.Gzip, decompress.Zstd, decompress.LZ4, decompress.XZ}, f)
}

// scanFile scans a file, or its content if decompress is not nil.
func scanFile(ctx context.Context, path string, decompress func(io.Reader) (io.ReadCloser, error)) (Facts, error) {
	f, err := ctxio.Open(ctx, path)
	if err != nil {
		return Facts{}, err
	}
	defer f.Close()
	if decompress == nil {
		return scan(f, maxFile)
	}
	content, err := decompress(f)
	if err != nil {
		return Facts{}, err
	}
	defer content.Close()
	return scan(content, maxDecompressed)
}

// scan scans at most limit bytes; more are an error.
func scan(r io.Reader, limit int64) (Facts, error) {
	s := NewScanner()
	// A struct without the method WriteTo, which would ignore the buffer.
	n, err := io.CopyBuffer(s, struct{ io.Reader }{io.LimitReader(r, limit+1)}, make([]byte, chunkSize))
	if err == nil && n > limit {
		err = fmt.Errorf("want at most %d bytes, got more", limit)
	}
	if err != nil {
		return Facts{}, err
	}
	return s.Facts(), nil
}
