package imagevector

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// MaxFileSize is the maximum size of a file in bytes. A larger file is a
// [*LimitError]. This and the other limits are far above any real file, and bound
// the memory that a malicious file can use.
const MaxFileSize = 8 << 20

const (
	maxScalar   = 1 << 20  // bytes of one value: the limit of a ConfigMap
	maxDepth    = 1_000    // of nested lists and mappings
	maxValues   = 1 << 20  // estimated number of values before parsing
	maxExpanded = 1 << 19  // values, with aliases expanded
	maxBytes    = 64 << 20 // of text in values, with aliases expanded
)

// A LimitError reports a file that is too large or too deeply nested, possibly only
// with its aliases expanded, or has too many problems.
type LimitError struct{ Message string }

func (e *LimitError) Error() string { return e.Message }

// Parse parses an image vector in YAML or JSON of up to [MaxFileSize] bytes. The
// error is [Problems] or a [*LimitError]; with [Compatible] it can also be the
// error of Gardener for invalid YAML.
func Parse(data []byte, opts ...Option) (*Vector, error) { return parse(data, configure(opts)) }

func parse(data []byte, c config) (*Vector, error) {
	if err := checkSize(data); err != nil {
		return nil, err
	}
	if c.compatible {
		return parseCompatible(data, c)
	}
	return parseStrict(data, c)
}

// checkSize rejects texts that are too large to parse.
func checkSize(data []byte) error {
	if len(data) > MaxFileSize {
		return &LimitError{fmt.Sprintf("file exceeds the limit of %d bytes", MaxFileSize)}
	}
	if n := estimateValues(data); n > maxValues {
		return &LimitError{fmt.Sprintf("about %d values exceed the limit of %d", n, maxValues)}
	}
	return nil
}

// ReadFile reads and parses the image vector in a file, as [Parse] does. Positions
// have the path of the file unless [WithFile] sets another name. A named pipe is an
// error, except below /dev and /proc.
func ReadFile(file string, opts ...Option) (*Vector, error) {
	return readFile(file, "image vector", configure(opts), parse)
}

func readFile[T any](file, kind string, c config, parse func([]byte, config) (T, error)) (read T, err error) {
	if c.file == "" {
		c.file = file
	}
	data, err := readBytes(file)
	if err == nil {
		read, err = parse(data, c)
	}
	if err != nil && !c.compatible {
		err = fmt.Errorf("reading %s %q: %w", kind, file, err)
	}
	return read, err
}

// readBytes reads a file up to one byte more than the limit. It refuses a named pipe,
// whose opening blocks until another process writes to it. Files of the process, such
// as /dev/stdin and the /dev/fd/63 of a shell, are pipes that are open already.
func readBytes(file string) ([]byte, error) {
	if info, err := os.Stat(file); err == nil && info.Mode()&fs.ModeNamedPipe != 0 &&
		!strings.HasPrefix(file, "/dev/") && !strings.HasPrefix(file, "/proc/") {
		return nil, errors.New("want a regular file, got a named pipe. Fix: use /dev/stdin for the output of another process")
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxFileSize+1))
}

// indexed returns "images[3]".
func indexed(field string, i int) string { return field + "[" + strconv.Itoa(i) + "]" }
