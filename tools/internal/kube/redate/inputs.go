package redate

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Inputs are the hash inputs of the go command: of the compilation of package main
// and of the link.
type Inputs struct{ Compile, Link []byte }

// maxLine is the maximum length of a line. The longest one has the version
// information of a program.
const maxLine = 4 << 20

// ReadInputs reads the inputs of a package from the output of the go command with
// GODEBUG=gocachehash=1. It calls other for each line that is not a hash input.
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
				*input = nil // a new hash
			}
			quoted, ok := strings.CutPrefix(line, prefix)
			if !ok || !strings.HasPrefix(quoted, `"`) {
				continue // the hash
			}
			s, err := strconv.Unquote(quoted)
			if err != nil {
				return Inputs{}, fmt.Errorf("reading hash inputs of the go command: %.100q: %w", line, err)
			}
			*input = append(*input, s...)
		}
	}
	if err := lines.Err(); err != nil {
		return Inputs{}, fmt.Errorf("reading hash inputs of the go command: %w", err)
	}
	if in.Compile == nil || in.Link == nil {
		return Inputs{}, errors.New("reading hash inputs of the go command: none of " + strconv.Quote(pkg))
	}
	return in, nil
}
