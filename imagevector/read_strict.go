package imagevector

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hyperkube/hyperkube/imagevector/internal/nearest"
)

// reader reads a tree strictly and collects all problems.
type reader struct {
	config   config
	problems Problems
}

func (r *reader) position(n *yaml.Node) Position {
	return Position{File: r.config.file, Line: n.Line, Column: n.Column}
}

func (r *reader) problem(n *yaml.Node, field, format string, args ...any) {
	r.problems.add(Problem{Position: r.position(n), Field: field, Kind: Invalid, Message: fmt.Sprintf(format, args...)})
}

// strictTree parses the text and checks its limits.
func (r *reader) strictTree(data []byte) (*yaml.Node, error) {
	root, more, err := parseTree(data)
	if err != nil {
		p := Problem{Position: Position{File: r.config.file, Line: 1}, Kind: Invalid, Message: "reading YAML: " + err.Error()}
		if errors.Is(err, errNoDocument) {
			p.Message = `empty file: want at least "images: []"`
		} else if syntax, ok := errors.AsType[*syntaxError](err); ok {
			p.Line = syntax.line
		}
		return nil, Problems{p}
	}
	if err := checkLimits(data, root); err != nil {
		return nil, err
	}
	if more != nil {
		r.problem(more, "", "second document: Gardener ignores it")
	}
	return root, nil
}

// pair is a key of a mapping and its value.
type pair struct {
	name       string
	key, value *yaml.Node
}

// mapping reads a mapping. Its keys must be known and unique.
func (r *reader) mapping(n *yaml.Node, field string, known ...string) []pair {
	m := target(n)
	if m.Kind != yaml.MappingNode {
		r.problem(n, field, "want a mapping, got %s", kindOf(m))
		return nil
	}
	pairs := make([]pair, 0, len(m.Content)/2)
	for i := 0; i+1 < len(m.Content); i += 2 {
		key, value := m.Content[i], m.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Style&yaml.TaggedStyle != 0 {
			r.problem(key, field, "want a string as key, got %s", kindOf(key))
		} else if first := slices.IndexFunc(pairs, func(p pair) bool { return p.name == key.Value }); first >= 0 {
			r.duplicate(key, pairs[first].key, field)
		} else if !slices.Contains(known, key.Value) {
			r.unknown(key, field, known)
		} else {
			pairs = append(pairs, pair{key.Value, key, value})
		}
	}
	return pairs
}

func (r *reader) unknown(key *yaml.Node, field string, known []string) {
	where := join(field, short(key.Value))
	if key.Value == "<<" {
		r.problem(key, field, `merge key "<<" is not allowed: write the fields out`)
		return
	}
	for _, k := range known {
		if strings.EqualFold(k, key.Value) {
			r.problem(key, where, "wrong case of key %q: want %q", key.Value, k)
			return
		}
	}
	hint := fmt.Sprintf("known keys are %q", known)
	if near := nearest.To(key.Value, known); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	r.problem(key, where, "unknown key %s, which Gardener ignores: %s", quoteShort(key.Value), hint)
}

// duplicate reports a duplicate key of a mapping.
func (r *reader) duplicate(key, first *yaml.Node, field string) {
	r.problem(key, join(field, short(key.Value)), "duplicate key %s: first at line %d; Gardener uses only the last", quoteShort(key.Value), first.Line)
}

// duplicates reports duplicate keys in a value that only other tools read. The
// value of an alias is checked at its anchor.
func (r *reader) duplicates(n *yaml.Node, field string) {
	var first map[string]*yaml.Node
	for i, child := range n.Content {
		switch {
		case n.Kind == yaml.SequenceNode && len(child.Content) > 0:
			r.duplicates(child, indexed(field, i))
		case n.Kind == yaml.MappingNode && i%2 == 1 && len(child.Content) > 0:
			r.duplicates(child, join(field, short(n.Content[i-1].Value)))
		case n.Kind == yaml.MappingNode && i%2 == 0 && child.Kind == yaml.ScalarNode:
			if first == nil {
				first = make(map[string]*yaml.Node, len(n.Content)/2)
			}
			name := child.ShortTag() + child.Value
			if known := first[name]; known != nil {
				r.duplicate(child, known, field)
			} else {
				first[name] = child
			}
		}
	}
}

// list reads a list.
func (r *reader) list(n *yaml.Node, field string) []*yaml.Node {
	l := target(n)
	if l.Kind != yaml.SequenceNode {
		r.problem(n, field, "want a list, got %s", kindOf(l))
		return nil
	}
	return l.Content
}

// text reads a string, the value of a key; ok is false if it is not a string.
func (r *reader) text(n *yaml.Node, parent, name string) (_ string, ok bool) {
	s := target(n)
	tagged := s.Style&yaml.TaggedStyle != 0
	read, isText, wrong := misread(s)
	if s.Kind == yaml.ScalarNode && (tagged && s.Tag == "!!str" || !tagged && !wrong) {
		return s.Value, true
	}
	field := join(parent, name)
	switch {
	case s.Kind != yaml.ScalarNode:
		r.problem(n, field, "want a string, got %s", kindOf(s))
	case tagged:
		r.problem(n, field, "want a string, got a value with tag %s", quoteShort(s.Tag))
		return s.Value, false
	case !isText && s.Value == "":
		r.problem(n, field, "missing value: add one or remove the key")
	case !isText:
		r.problem(n, field, `unquoted %s is null: write %q or remove the key`, s.Value, s.Value)
	default:
		r.problem(n, field, "unquoted %s is read as %s: write %s", short(s.Value), short(read), quoteShort(s.Value))
	}
	return "", false
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	if isNull(n) {
		return "null"
	}
	return quoteShort(n.Value)
}

func join(field, name string) string {
	if field == "" || name == "" {
		return field + name
	}
	return field + "." + name
}
