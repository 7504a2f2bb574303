package imagevector

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// A Component is a component that Gardener deploys, with the overwrite that
// Gardener passes to it.
type Component struct {
	Name string
	// Overwrite is the text of an image vector.
	Overwrite string
	// Vector is the parsed Overwrite.
	Vector   *Vector
	Position Position
}

// Components are components with their overwrites, sorted by name.
type Components []Component

// Get returns the component with the name.
func (c Components) Get(name string) (Component, bool) {
	for _, component := range c {
		if component.Name == name {
			return component, true
		}
	}
	return Component{}, false
}

// ParseComponents parses a file of component overwrites and the vectors in it.
// The errors are those of [Parse]. In strict reading, positions in a vector are
// those in the file.
func ParseComponents(data []byte, opts ...Option) (Components, error) {
	return parseComponents(data, configure(opts))
}

func parseComponents(data []byte, c config) (Components, error) {
	if err := checkSize(data); err != nil {
		return nil, err
	}
	if c.compatible {
		return parseComponentsCompatible(data, c)
	}
	return parseComponentsStrict(data, c)
}

// ReadComponentsFile reads and parses a file of component overwrites, as
// [ParseComponents] does.
func ReadComponentsFile(file string, opts ...Option) (Components, error) {
	return readFile(file, "component overwrites", configure(opts), parseComponents)
}

func parseComponentsCompatible(data []byte, c config) (Components, error) {
	type ComponentImageVector struct { // a name in errors of Gardener
		Name                 string `json:"name"`
		ImageVectorOverwrite string `json:"imageVectorOverwrite"`
	}
	var file struct {
		Components []ComponentImageVector `json:"components" yaml:"components"`
	}
	root, err := decodeCompatible(data, componentsSchema(), &file)
	if err != nil {
		return nil, err
	}
	positions := locate(root, c.file, "components", len(file.Components))
	byName := map[string]Component{}
	for i, component := range file.Components {
		byName[component.Name] = Component{Name: component.Name, Overwrite: component.ImageVectorOverwrite, Position: positions[i]}
	}
	var (
		components Components
		problems   Problems
	)
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		component := byName[name]
		field := fmt.Sprintf("components[%s]", name)
		if name == "" {
			problems.gardener(component.Position, Required, field+".name", "", "component name is required")
		}
		inner := c
		inner.file = ""
		if component.Vector, err = parseCompatible([]byte(component.Overwrite), inner); err != nil {
			problems.gardener(component.Position, Invalid, field+".imageVectorOverwrite", component.Overwrite, err.Error())
		}
		components = append(components, component)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return components, nil
}

func parseComponentsStrict(data []byte, c config) (Components, error) {
	r := &reader{config: c}
	root, err := r.strictTree(data)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(data), "\n")
	var components Components
	for _, top := range r.mapping(root, "", "components") {
		for i, item := range r.list(top.value, "components") {
			field := indexed("components", i)
			component := Component{Position: r.position(item)}
			var text *yaml.Node
			for _, p := range r.mapping(item, field, "name", "imageVectorOverwrite") {
				value, ok := r.text(p.value, field, p.name)
				switch {
				case !ok:
				case p.name == "name" && value == "":
					r.problem(p.value, join(field, p.name), "component has no name")
				case p.name == "name":
					component.Name = value
				default:
					component.Overwrite, text = value, target(p.value)
				}
			}
			if component.Name == "" || text == nil {
				if target(item).Kind == yaml.MappingNode {
					r.missing(item, field, "name", "imageVectorOverwrite")
				}
				continue
			}
			if other, ok := components.Get(component.Name); ok {
				r.problem(item, field, "duplicate component %s: first at line %d; Gardener uses only the last", quoteShort(component.Name), other.Position.Line)
				continue
			}
			component.Vector = r.nested(text, lines, fmt.Sprintf("components[%s].imageVectorOverwrite", short(component.Name)))
			components = append(components, component)
		}
	}
	if err := r.problems.sorted(); err != nil {
		return nil, err
	}
	slices.SortFunc(components, func(a, b Component) int { return strings.Compare(a.Name, b.Name) })
	return components, nil
}

// missing reports required keys that a mapping lacks.
func (r *reader) missing(n *yaml.Node, field string, names ...string) {
	for _, name := range names {
		found := false
		for i := 0; i < len(target(n).Content); i += 2 {
			found = found || target(n).Content[i].Value == name
		}
		if !found {
			r.problem(n, join(field, name), "%s is missing", name)
		}
	}
}

// nested parses the vector in a scalar. In a literal block, its positions become
// those in the file; in another scalar, they become that of the scalar.
func (r *reader) nested(n *yaml.Node, lines []string, field string) *Vector {
	inner := strings.Split(n.Value, "\n")
	move := func(p Position) Position {
		line := n.Line + p.Line
		if n.Style&yaml.LiteralStyle == 0 || p.Line == 0 || p.Line > len(inner) || line > len(lines) {
			return r.position(n)
		}
		if p.Column > 0 {
			p.Column += indent(lines[line-1]) - indent(inner[p.Line-1])
		}
		return Position{File: r.config.file, Line: line, Column: p.Column}
	}
	c := r.config
	c.overwrite = true
	v, err := parse([]byte(n.Value), c)
	if err == nil {
		for i := range v.sources {
			v.sources[i].Position = move(v.sources[i].Position)
		}
		return v
	}
	problems, ok := err.(Problems)
	if !ok {
		problems = Problems{{Message: err.Error(), Kind: Invalid}}
	}
	for _, p := range problems {
		p.Position = move(p.Position)
		p.Field = join(field, p.Field)
		r.problems.add(p)
	}
	return nil
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
