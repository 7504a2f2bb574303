package imagevector

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Problem is one error in a file.
type Problem struct {
	Position
	Field   string // as in "images[3].targetVersion"
	Kind    Kind
	Value   string // the invalid value, if Kind is Invalid
	Message string

	gardenerText string // the error text of Gardener, in compatible reading
}

// Kind is the kind of a problem, as in the field errors of Kubernetes.
type Kind string

// Kinds of problems.
const (
	Required  Kind = "Required value"
	Invalid   Kind = "Invalid value"
	Forbidden Kind = "Forbidden"
)

// Error returns the problem on one line, with its position.
func (p Problem) Error() string {
	if p.gardenerText != "" {
		return p.gardenerText
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

// Problems are all problems of a file, in the order of the file. In compatible
// reading, the error text is that of Gardener.
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
	case len(p) > 0 && p[0].gardenerText != "":
		return "[" + strings.Join(lines, ", ") + "]"
	}
	return fmt.Sprintf("%d problems:\n\t%s", len(lines), strings.Join(lines, "\n\t"))
}

// maxProblems limits the problems of one file. A small malicious file can have a
// million.
const maxProblems = 10_000

// add adds a problem. It replaces those above the limit by one that says so.
func (p *Problems) add(problem Problem) {
	switch {
	case len(*p) < maxProblems:
		*p = append(*p, problem)
	case len(*p) == maxProblems:
		*p = append(*p, Problem{Position: problem.Position, Kind: Invalid, Message: fmt.Sprintf("more than %d problems; the rest is omitted", maxProblems)})
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

// maxShown limits the bytes of a value in a message.
const maxShown = 100

// short truncates a text for a message.
func short(text string) string {
	if len(text) > maxShown {
		return strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	return text
}

// quoteShort truncates and quotes a text for a message.
func quoteShort(text string) string {
	if len(text) > maxShown {
		return strconv.Quote(strings.ToValidUTF8(text[:maxShown], "")) + "…"
	}
	return strconv.Quote(text)
}

// gardener adds a problem with the error text of Gardener.
func (p *Problems) gardener(at Position, kind Kind, field, value, message string) {
	p.gardenerQuoted(at, kind, field, value, strconv.Quote(value), message)
}

func (p *Problems) gardenerQuoted(at Position, kind Kind, field, value, quoted, message string) {
	text := field + ": " + string(kind) + ": "
	if kind == Invalid {
		text += quoted + ": "
	}
	*p = append(*p, Problem{Position: at, Kind: kind, Field: field, Value: value, Message: message, gardenerText: text + message})
}
