package imagevector

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"
)

// errNoDocument is the error of a text without any value.
var errNoDocument = errors.New("no document")

// parseTree reads the first document as a tree, aliases not yet expanded, and
// tells whether there are more.
func parseTree(data []byte) (root *yaml.Node, more bool, err error) {
	defer func() {
		// A parser of other people is no reason to crash.
		if r := recover(); r != nil {
			root, err = nil, fmt.Errorf("yaml: reading the text: %v", r)
		}
	}()
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, false, errNoDocument
	} else if err != nil {
		return nil, false, err
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 {
		return nil, false, errNoDocument
	}
	return document.Content[0], !errors.Is(decoder.Decode(new(yaml.Node)), io.EOF), nil
}

// cost is what a tree would be with its aliases expanded.
type cost struct{ values, bytes int }

func (c cost) tooLarge() bool { return c.values > maxExpanded || c.bytes > 8*MaxFileSize }

// expanded returns the cost of a tree. It visits every node once, however often
// aliases name it, and stops counting once the cost is too large.
func expanded(n *yaml.Node, known map[*yaml.Node]cost) cost {
	if n.Kind == yaml.AliasNode {
		// An alias inside its own anchor costs nothing here: no reader accepts it.
		return known[n.Alias]
	}
	c := cost{values: 1, bytes: len(n.Value)}
	for _, child := range n.Content {
		of := expanded(child, known)
		if c.values, c.bytes = c.values+of.values, c.bytes+of.bytes; c.tooLarge() {
			break
		}
	}
	if n.Anchor != "" {
		known[n] = c
	}
	return c
}

// guardExpansion refuses a text whose aliases would make far more of it than it
// is. Where there is no tree, only because another parser can read the text, the
// bound is the crudest there is.
func guardExpansion(data []byte, root *yaml.Node) error {
	var c cost
	if root != nil {
		c = expanded(root, map[*yaml.Node]cost{})
	} else if aliases := bytes.Count(data, []byte("*")); aliases > 0 {
		c.bytes = (aliases + 1) * len(data)
	}
	if c.tooLarge() {
		return &LimitError{fmt.Sprintf("the aliases of %d bytes of YAML stand for more than %d values or %d bytes", len(data), maxExpanded, 8*MaxFileSize)}
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
