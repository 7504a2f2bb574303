package imagevector

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Problem is one fault of a file.
type Problem struct {
	Position
	Field   string // as in "images[3].targetVersion"
	Kind    Kind
	Value   string // what was found, where Kind is Invalid
	Message string

	legacy string // the whole text in Gardener's words, when reading compatibly
}

// Kind is the kind of a problem, named as Kubernetes names them.
type Kind string

// The kinds of problems.
const (
	Required  Kind = "Required value"
	Invalid   Kind = "Invalid value"
	Forbidden Kind = "Forbidden"
)

// Error returns the problem on one line, with its position.
func (p Problem) Error() string {
	if p.legacy != "" {
		return p.legacy
	}
	s := p.Message
	if p.Field != "" {
		s = p.Field + ": " + s
	}
	if at := p.Position.String(); at != "" {
		s = at + ": " + s
	}
	return s
}

// Problems is the error of a file with faults: all of them, in the order of the
// file. In compatible reading its text is Gardener's.
type Problems []Problem

// Error returns a line for each problem.
func (p Problems) Error() string {
	lines := make([]string, 0, len(p))
	seen := make(map[string]bool, len(p))
	for _, problem := range p {
		if line := problem.Error(); !seen[line] {
			seen[line] = true
			lines = append(lines, line)
		}
	}
	switch {
	case len(lines) == 1:
		return lines[0]
	case len(p) > 0 && p[0].legacy != "":
		return "[" + strings.Join(lines, ", ") + "]"
	}
	return fmt.Sprintf("%d problems:\n\t%s", len(lines), strings.Join(lines, "\n\t"))
}

// maxProblems is how many problems of one file are told. Nobody reads as many,
// and a small file made for it could have a million.
const maxProblems = 10_000

// add adds a problem, and in the place of one too many says so.
func (p *Problems) add(problem Problem) {
	switch {
	case len(*p) < maxProblems:
		*p = append(*p, problem)
	case len(*p) == maxProblems:
		*p = append(*p, Problem{Position: problem.Position, Kind: Invalid, Message: fmt.Sprintf("there are more problems than the %d that were found first", maxProblems)})
	}
}

// sorted returns the problems in the order of the file, as an error.
func (p Problems) sorted() error {
	if len(p) == 0 {
		return nil
	}
	slices.SortStableFunc(p, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return p
}

// maxShown is how many bytes of a value people are shown.
const maxShown = 100

// short returns a text, but no more of it than people read.
func short(text string) string {
	if len(text) > maxShown {
		return strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	return text
}

// quoteShort quotes a text, but no more of it than people read.
func quoteShort(text string) string {
	if len(text) > maxShown {
		return strconv.Quote(strings.ToValidUTF8(text[:maxShown], "")) + "…"
	}
	return strconv.Quote(text)
}

// gardener adds a problem in Gardener's words.
func (p *Problems) gardener(at Position, kind Kind, field, value, message string) {
	p.quoted(at, kind, field, value, fmt.Sprintf("%q", value), message)
}

// gardenerPointer is the same for a value that Gardener hands over by pointer,
// which is then written as JSON, with < and > escaped.
func (p *Problems) gardenerPointer(at Position, kind Kind, field, value, message string) {
	quoted, _ := json.Marshal(value)
	p.quoted(at, kind, field, value, string(quoted), message)
}

func (p *Problems) quoted(at Position, kind Kind, field, value, quoted, message string) {
	legacy := field + ": " + string(kind) + ": " + message
	if kind == Invalid {
		legacy = field + ": " + string(kind) + ": " + quoted + ": " + message
	}
	*p = append(*p, Problem{Position: at, Kind: kind, Field: field, Value: value, Message: message, legacy: legacy})
}
