package redate

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Inputs are what the go command hashed to name the compilation of a program's
// main package and its link.
type Inputs struct{ Compile, Link []byte }

// maxLine bounds a line of the go command's report: the longest one holds the
// version information of a program.
const maxLine = 4 << 20

// ReadInputs finds the inputs of a package in what the go command says with
// GODEBUG=gocachehash=1, and calls other with every line that is not of that
// kind.
func ReadInputs(r io.Reader, pkg string, other func(string)) (Inputs, error) {
	var in Inputs
	kinds := map[string]*[]byte{
		"HASH[build " + pkg + "]: ": &in.Compile,
		"HASH[link " + pkg + "]: ":  &in.Link,
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, "HASH") {
			other(line)
			continue
		}
		for prefix, input := range kinds {
			if line+": " == prefix {
				*input = nil // it begins anew
			}
			quoted, ok := strings.CutPrefix(line, prefix)
			if !ok || !strings.HasPrefix(quoted, `"`) {
				continue // the sum
			}
			s, err := strconv.Unquote(quoted)
			if err != nil {
				return Inputs{}, fmt.Errorf("reading the go command's hashes: %.100q: %w", line, err)
			}
			*input = append(*input, s...)
		}
	}
	if err := lines.Err(); err != nil {
		return Inputs{}, fmt.Errorf("reading the go command's hashes: %w", err)
	}
	if in.Compile == nil || in.Link == nil {
		return Inputs{}, errors.New("reading the go command's hashes: those of " + strconv.Quote(pkg) + " are not there")
	}
	return in, nil
}
