package imagevector

import (
	"fmt"
	"io"
	"os"
	"strconv"
)

// MaxFileSize is how many bytes a file may have, in either reading; a larger one
// is a [LimitError]. Other limits are of the same kind: far above any file that is
// meant well, and such that no file costs memory without bound.
const MaxFileSize = 8 << 20

const (
	maxScalar   = 1 << 20  // bytes of one value: as many as a ConfigMap may have
	maxDepth    = 1_000    // of lists and mappings in each other
	maxValues   = 1 << 20  // that a text may have at most, by the look of it
	maxExpanded = 1 << 19  // values, each alias counted as what it stands for
	maxBytes    = 64 << 20 // of their text, counted so
)

// A LimitError is the error of a file that is too large or too deep to be read,
// or would be once its aliases are expanded, or has too many faults to be told.
type LimitError struct{ Message string }

func (e *LimitError) Error() string { return e.Message }

// Parse reads an image vector, YAML or JSON, of up to [MaxFileSize] bytes. The
// error of strict reading is [Problems], or a [*LimitError]; that of compatible
// reading also what Gardener says of a text that is no YAML.
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

// checkSize refuses what is too large to be parsed at all.
func checkSize(data []byte) error {
	if len(data) > MaxFileSize {
		return &LimitError{fmt.Sprintf("there are more bytes than may be read: %d", MaxFileSize)}
	}
	if n := valuesAtMost(data); n > maxValues {
		return &LimitError{fmt.Sprintf("there are about %d values, more than may be read: %d", n, maxValues)}
	}
	return nil
}

// ReadFile reads the image vector in a file, as [Parse] does its text. Positions
// name the file, unless [WithFile] gives it another name.
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
