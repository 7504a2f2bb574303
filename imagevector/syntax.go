package imagevector

import (
	"bytes"
	"errors"
	"regexp"
	"sort"
	"strings"
)

// errNoDocument reports a text without any value.
var errNoDocument = errors.New("no document")

// A syntaxError reports a text that is not valid YAML.
type syntaxError struct {
	line int // from 1
	text string
}

func (e *syntaxError) Error() string { return e.text }

var yamlLine = regexp.MustCompile(`^(yaml: )?(line [0-9]+: )?`)

// yamlMessage returns the message of the parser without its line, which is often
// that of the enclosing mapping, or one off.
func yamlMessage(err error) string {
	return strings.TrimPrefix(err.Error(), yamlLine.FindString(err.Error()))
}

// newSyntaxError returns the error of the parser with its line: the first one
// such that the text up to it has the same error, however it continues.
func newSyntaxError(data []byte, err error) *syntaxError {
	e := &syntaxError{text: yamlMessage(err)}
	var ends []int
	end := 0
	for line := range bytes.Lines(data) {
		end += len(line)
		ends = append(ends, end)
	}
	e.line = 1 + sort.Search(len(ends)-1, func(i int) bool {
		for _, rest := range []string{"", "x: x", "]", "}"} {
			_, _, err := decodeTree(append(data[:ends[i]:ends[i]], rest...))
			if err == nil || yamlMessage(err) != e.text {
				return false
			}
		}
		return true
	})
	return e
}
