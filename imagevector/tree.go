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

// estimateValues returns an upper bound of the number of values in a text without
// parsing it. Every value, or key and value, has an indicator character.
func estimateValues(data []byte) int {
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

// cost is the size of a tree with its aliases expanded.
type cost struct{ values, bytes, depth int }

// measure computes the cost of a tree. It visits every node once, however many
// aliases refer to it, and stops at the first exceeded limit.
type measure struct {
	known map[*yaml.Node]cost // of nodes with an anchor
	err   string              // the limit that is exceeded
}

func (m *measure) of(n *yaml.Node) cost {
	if n.Kind == yaml.AliasNode {
		// An alias inside its own anchor is an error of every reader.
		return m.known[n.Alias]
	}
	c := cost{values: 1, bytes: len(n.Value), depth: 1}
	if len(n.Value) > maxScalar {
		m.err = fmt.Sprintf("line %d: a value of %d bytes exceeds the limit of %d", n.Line, len(n.Value), maxScalar)
	}
	for _, child := range n.Content {
		if m.err != "" {
			break
		}
		of := m.of(child)
		c.values, c.bytes, c.depth = c.values+of.values, c.bytes+of.bytes, max(c.depth, of.depth+1)
		switch {
		case m.err != "":
		case c.values > maxExpanded || c.bytes > maxBytes:
			m.err = fmt.Sprintf("line %d: with aliases expanded, the limit of %d values or %d bytes is exceeded", n.Line, maxExpanded, maxBytes)
		case c.depth > maxDepth:
			m.err = fmt.Sprintf("line %d: nesting exceeds the limit of %d levels", n.Line, maxDepth)
		}
	}
	if n.Anchor != "" {
		m.known[n] = c
	}
	return c
}

// checkLimits rejects a text that exceeds a limit with its aliases expanded. The
// estimate is rough without a tree, which is nil if only the other YAML parser can
// parse the text.
func checkLimits(data []byte, root *yaml.Node) error {
	m := measure{known: map[*yaml.Node]cost{}}
	if root != nil {
		m.of(root)
	} else if aliases := bytes.Count(data, []byte("*")); aliases > 0 && (aliases+1)*len(data) > maxBytes {
		m.err = fmt.Sprintf("%d aliases in %d bytes of YAML may expand to more than %d bytes", aliases, len(data), maxBytes)
	}
	if m.err != "" {
		return &LimitError{m.err}
	}
	return nil
}

// locate returns the positions of the n items of a top-level list. They have no
// line if the tree has another number of items.
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
		if key := root.Content[i].Value; key == list || items == nil && strings.EqualFold(key, list) {
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

// target returns the node that an alias refers to, or the node itself.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
