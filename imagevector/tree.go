package imagevector

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"
)

// parseTree parses the first document into a tree, without expanding aliases.
// more is the second document, nil if there is none.
func parseTree(data []byte) (root, more *yaml.Node, err error) {
	root, more, err = decodeTree(data)
	if err != nil && !errors.Is(err, errNoDocument) {
		err = newSyntaxError(data, err)
	}
	return root, more, err
}

func decodeTree(data []byte) (root, more *yaml.Node, err error) {
	defer func() {
		// The parser panics on some texts.
		if r := recover(); r != nil {
			root, err = nil, fmt.Errorf("parsing: %v", r)
		}
	}()
	var document, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, nil, errNoDocument
	} else if err != nil {
		return nil, nil, err
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 {
		return nil, nil, errNoDocument
	}
	if err := decoder.Decode(&second); errors.Is(err, io.EOF) {
		return document.Content[0], nil, nil
	} else if err != nil {
		return nil, nil, err
	}
	return document.Content[0], &second, nil
}

// valuesAtMost bounds how many values a text has, without parsing it: there is a
// mark for every one of them, or for a key and its value.
func valuesAtMost(data []byte) int {
	n := 1
	for i, c := range data {
		switch c {
		case ',', ':', '[', '{':
			n += 2
		case '-', '?':
			if i+1 == len(data) || data[i+1] <= ' ' {
				n += 2
			}
		}
	}
	return n
}

// cost is what a tree would be with its aliases expanded.
type cost struct{ values, bytes, depth int }

// measure finds the cost of a tree. It visits every node once, however often
// aliases name it, and stops at the first limit that is exceeded.
type measure struct {
	known map[*yaml.Node]cost // of nodes with an anchor
	fault string
}

func (m *measure) of(n *yaml.Node) cost {
	if n.Kind == yaml.AliasNode {
		// An alias inside its own anchor costs nothing here: no reader accepts it.
		return m.known[n.Alias]
	}
	c := cost{values: 1, bytes: len(n.Value), depth: 1}
	if len(n.Value) > maxScalar {
		m.fault = fmt.Sprintf("line %d: a value of %d bytes is longer than any may be: %d", n.Line, len(n.Value), maxScalar)
	}
	for _, child := range n.Content {
		if m.fault != "" {
			break
		}
		of := m.of(child)
		c.values, c.bytes, c.depth = c.values+of.values, c.bytes+of.bytes, max(c.depth, of.depth+1)
		switch {
		case m.fault != "":
		case c.values > maxExpanded || c.bytes > maxBytes:
			m.fault = fmt.Sprintf("line %d: with its aliases expanded, this is more than %d values or %d bytes", n.Line, maxExpanded, maxBytes)
		case c.depth > maxDepth:
			m.fault = fmt.Sprintf("line %d: lists and mappings are nested more than %d deep", n.Line, maxDepth)
		}
	}
	if n.Anchor != "" {
		m.known[n] = c
	}
	return c
}

// guard refuses a text of which far more would be made than it is. Where there is
// no tree, because only another parser can read the text, the bound is crude.
func guard(data []byte, root *yaml.Node) error {
	m := measure{known: map[*yaml.Node]cost{}}
	if root != nil {
		m.of(root)
	} else if aliases := bytes.Count(data, []byte("*")); aliases > 0 && (aliases+1)*len(data) > maxBytes {
		m.fault = fmt.Sprintf("%d aliases in %d bytes of YAML could stand for more than %d bytes", aliases, len(data), maxBytes)
	}
	if m.fault != "" {
		return &LimitError{m.fault}
	}
	return nil
}

// locate returns where the n items of a list of the file begin: nowhere, if the
// tree has other items than the reader.
func locate(root *yaml.Node, file, list string, n int) []Position {
	positions := make([]Position, n)
	for i := range positions {
		positions[i].File = file
	}
	if root == nil || root.Kind != yaml.MappingNode {
		return positions
	}
	var items *yaml.Node
	for i := 0; i+1 < len(root.Content); i += 2 {
		switch key := root.Content[i].Value; {
		case key == list:
			items = target(root.Content[i+1])
		case items == nil && strings.EqualFold(key, list):
			items = target(root.Content[i+1])
		}
	}
	if items == nil || len(items.Content) != n || items.Kind != yaml.SequenceNode {
		return positions
	}
	for i, item := range items.Content {
		positions[i].Line, positions[i].Column = item.Line, item.Column
	}
	return positions
}

// target follows an alias.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
