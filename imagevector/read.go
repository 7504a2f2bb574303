package imagevector

import (
	"fmt"
	"io"
	"os"
	"strconv"
)

// Limits of what is read, in either reading. They are far above any file that is
// meant well, and keep the memory that a file can cost to a small multiple of its
// size.
const (
	MaxFileSize = 8 << 20  // bytes
	maxScalar   = 1 << 20  // bytes of one value: as many as a ConfigMap may have
	maxDepth    = 1_000    // of lists and mappings in each other
	maxExpanded = 1 << 20  // values, each alias counted as what it stands for
	maxBytes    = 64 << 20 // of their text, counted so
)

// A LimitError is the error of a file that is too large or too deep to be read,
// or would be once its aliases are expanded.
type LimitError struct{ What string }

func (e *LimitError) Error() string { return e.What }

// Parse reads an image vector, YAML or JSON. The error is [Problems] if the text
// can be read, but says something wrong.
func Parse(data []byte, opts ...Option) (*Vector, error) { return parse(data, configure(opts)) }

func parse(data []byte, c config) (*Vector, error) {
	if len(data) > MaxFileSize {
		return nil, &LimitError{fmt.Sprintf("%d bytes are more than an image vector may have: %d", len(data), MaxFileSize)}
	}
	if c.compatible {
		return parseCompatible(data, c)
	}
	return parseStrict(data, c)
}

// ReadFile reads the image vector in a file. Positions name the file, unless
// [WithFile] gives it another name.
func ReadFile(file string, opts ...Option) (*Vector, error) { return readFile(file, configure(opts)) }

func readFile(file string, c config) (*Vector, error) {
	if c.file == "" {
		c.file = file
	}
	data, err := readBytes(file)
	var v *Vector
	if err == nil {
		v, err = parse(data, c)
	}
	if err != nil && !c.compatible {
		err = fmt.Errorf("reading image vector %q: %w", file, err)
	}
	return v, err
}

// readBytes reads a file, but no more of it than tells that it is too large.
func readBytes(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxFileSize+1))
}

// indexed returns "images[3]".
func indexed(field string, i int) string { return field + "[" + strconv.Itoa(i) + "]" }
