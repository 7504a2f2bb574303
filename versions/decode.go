package versions

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// decoder walks a YAML tree and collects all errors, with file, line and field.
type decoder struct {
	file string
	errs []error
}

func (d *decoder) errorf(n *yaml.Node, at, format string, args ...any) {
	line := 1
	if n != nil {
		line = n.Line
	}
	d.errs = append(d.errs, fmt.Errorf("%s:%d: %s: %s", d.file, line, at, fmt.Sprintf(format, args...)))
}

// reader reads a node. at is the path of its field, "releases[3].version".
type reader = func(n *yaml.Node, at string)

// field reads the value of one key.
type field struct {
	required bool
	read     reader
}

func required(read reader) field { return field{true, read} }
func optional(read reader) field { return field{false, read} }

// object reads a mapping with the given keys and no others.
func (d *decoder) object(n *yaml.Node, at string, fields map[string]field) {
	seen := map[string]bool{}
	d.entries(n, at, func(key string, k, v *yaml.Node) {
		seen[key] = true
		f, ok := fields[key]
		if !ok {
			d.errorf(k, join(at, key), "unknown key; want one of %s", strings.Join(sortedKeys(fields), ", "))
			return
		}
		f.read(v, join(at, key))
	})
	for _, key := range sortedKeys(fields) {
		if fields[key].required && !seen[key] {
			d.errorf(n, join(at, key), "missing")
		}
	}
}

// entries reads a mapping with any keys, without duplicates.
func (d *decoder) entries(n *yaml.Node, at string, each func(key string, k, v *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.errorf(n, at, "want a mapping, got %s", describe(n))
		return
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode || k.Tag != "!!str" {
			d.errorf(k, at, "want a string as key, got %s", describe(k))
			continue
		}
		if line, dup := lines[k.Value]; dup {
			d.errorf(k, join(at, k.Value), "duplicate key, also in line %d", line)
			continue
		}
		lines[k.Value] = k.Line
		each(k.Value, k, v)
	}
}

// items reads a sequence.
func (d *decoder) items(n *yaml.Node, at string, each reader) {
	if n.Kind != yaml.SequenceNode {
		d.errorf(n, at, "want a list, got %s", describe(n))
		return
	}
	for i, item := range n.Content {
		each(item, fmt.Sprintf("%s[%d]", at, i))
	}
}

// text reads a string that is not empty and has no control characters.
func (d *decoder) text(n *yaml.Node, at string) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode || n.Tag != "!!str":
		d.errorf(n, at, "want a string, got %s", describe(n))
	case n.Value == "":
		d.errorf(n, at, "must not be empty")
	case strings.ContainsFunc(n.Value, func(r rune) bool { return r < ' ' || r > '~' }):
		d.errorf(n, at, "%q has characters outside printable ASCII", n.Value)
	default:
		return n.Value, true
	}
	return "", false
}

// integer reads an integer.
func (d *decoder) integer(n *yaml.Node, at string) int {
	i, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil {
		d.errorf(n, at, "want a number, got %s", describe(n))
	}
	return i
}

// boolean returns a reader for true and false.
func (d *decoder) boolean(to *bool) reader {
	return func(n *yaml.Node, at string) {
		if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
			d.errorf(n, at, "want true or false, got %s", describe(n))
			return
		}
		*to = n.Value == "true"
	}
}

// into returns a reader that parses a string and stores the value.
func into[T any](d *decoder, to *T, parse func(string) (T, error)) reader {
	return func(n *yaml.Node, at string) {
		s, ok := d.text(n, at)
		if !ok {
			return
		}
		v, err := parse(s)
		if err != nil {
			d.errorf(n, at, "%v", err)
			return
		}
		*to = v
	}
}

// list returns a reader that parses each string of a list and stores them all.
func list[T any](d *decoder, to *[]T, parse func(string) (T, error)) reader {
	return func(n *yaml.Node, at string) {
		d.items(n, at, func(n *yaml.Node, at string) {
			var v T
			before := len(d.errs)
			if into(d, &v, parse)(n, at); len(d.errs) == before {
				*to = append(*to, v)
			}
		})
	}
}

// pairs returns a reader for a mapping of strings, sorted by key.
func pairs(d *decoder, to *[]Pair, check func(Pair) error) reader {
	return func(n *yaml.Node, at string) {
		d.entries(n, at, func(key string, k, v *yaml.Node) {
			_, readable := d.text(k, at)
			s, ok := d.text(v, join(at, key))
			if !ok || !readable {
				return
			}
			p := Pair{key, s}
			if err := check(p); err != nil {
				d.errorf(v, join(at, key), "%v", err)
				return
			}
			*to = append(*to, p)
		})
		slices.SortFunc(*to, func(a, b Pair) int { return cmp.Compare(a.Key, b.Key) })
	}
}

func join(at, key string) string {
	if at == "" {
		return key
	}
	return at + "." + key
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	case yaml.ScalarNode:
		switch n.Tag {
		case "!!null":
			return "nothing"
		case "!!str":
			return fmt.Sprintf("the string %q", n.Value)
		}
		return fmt.Sprintf("%s (%s)", n.Value, strings.TrimPrefix(n.Tag, "!!"))
	}
	return "nothing"
}
