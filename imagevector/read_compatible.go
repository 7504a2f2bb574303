package imagevector

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/hyperkube/hyperkube/imagevector/internal/yamljson"
)

// The shapes of the two kinds of files.
func vectorShape() *yamljson.Shape {
	text := yamljson.Text()
	return yamljson.Object(map[string]*yamljson.Shape{
		"images": yamljson.List(yamljson.Object(map[string]*yamljson.Shape{
			"name": text, "runtimeVersion": text, "targetVersion": text, "architectures": yamljson.List(text),
			"ref": text, "repository": text, "tag": text, "version": text,
		})),
		"caBundle": yamljson.Object(map[string]*yamljson.Shape{"inline": text}),
	})
}

func componentsShape() *yamljson.Shape {
	text := yamljson.Text()
	return yamljson.Object(map[string]*yamljson.Shape{
		"components": yamljson.List(yamljson.Object(map[string]*yamljson.Shape{"name": text, "imageVectorOverwrite": text})),
	})
}

// decodeCompatible reads data into a struct, with Gardener's errors. The tree it
// returns has the positions; it may be nil, since the two parsers differ.
func decodeCompatible(data []byte, shape *yamljson.Shape, into any) (*yaml.Node, error) {
	root, _, _ := parseTree(data)
	if err := guard(data, root); err != nil {
		return nil, err
	}
	text, err := yamljson.Convert(data, shape, yamljson.Limits{Values: maxExpanded, Bytes: maxBytes})
	if errors.Is(err, yamljson.ErrTooLarge) {
		return nil, &LimitError{err.Error()}
	}
	if err != nil {
		return nil, fmt.Errorf("error converting YAML to JSON: %w", err)
	}
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(into); err != nil {
		return nil, fmt.Errorf("error unmarshaling JSON: while decoding JSON: %w", err)
	}
	return root, nil
}

// decoded is a vector as it stands in a file.
type decoded struct {
	sources []*Source // nil where the file has null
	bundle  bool
	inline  *string
	root    *yaml.Node
}

func decodeVector(data []byte) (*decoded, error) {
	// The names and tags of these types stand in errors, so they are Gardener's.
	type ImageSource struct {
		Name           string   `json:"name"`
		RuntimeVersion *string  `json:"runtimeVersion,omitempty"`
		TargetVersion  *string  `json:"targetVersion,omitempty"`
		Architectures  []string `json:"architectures,omitempty"`
		Ref            *string  `json:"ref,omitempty"`
		Repository     *string  `json:"repository,omitempty"`
		Tag            *string  `json:"tag,omitempty"`
		Version        *string  `json:"version,omitempty"`
	}
	type ImageVector []*ImageSource
	type CABundle struct {
		Inline *string `json:"inline,omitempty"`
	}
	var file struct {
		Images   ImageVector `json:"images" yaml:"images"`
		CABundle *CABundle   `json:"caBundle,omitempty" yaml:"caBundle,omitempty"`
	}
	root, err := decodeCompatible(data, vectorShape(), &file)
	if err != nil {
		return nil, err
	}
	d := &decoded{root: root, sources: make([]*Source, len(file.Images))}
	for i, s := range file.Images {
		if s != nil {
			d.sources[i] = &Source{
				Name: s.Name, RuntimeVersion: s.RuntimeVersion, TargetVersion: s.TargetVersion, Architectures: s.Architectures,
				Ref: s.Ref, Repository: s.Repository, Tag: s.Tag, Version: s.Version,
			}
		}
	}
	if file.CABundle != nil {
		d.bundle, d.inline = true, file.CABundle.Inline
	}
	return d, nil
}

func parseCompatible(data []byte, c config) (*Vector, error) {
	d, err := decodeVector(data)
	if err != nil {
		return nil, err
	}
	positions := locate(d.root, c.file, "images", len(d.sources))
	sources := make([]Source, len(d.sources))
	var problems Problems
	for i, s := range d.sources {
		if s == nil { // where Gardener panics
			problems.gardener(positions[i], Required, indexed("images", i), "", "image must not be null")
		} else {
			sources[i] = *s
			sources[i].Position = positions[i]
			if c.generation == Oldest {
				sources[i].upgrade()
			}
			problems.checkCompatible(&sources[i], i)
		}
		if len(problems) > maxProblems {
			return nil, &LimitError{fmt.Sprintf("there are more problems than anyone reads: %d", maxProblems)}
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	var ca *CABundle
	if d.bundle {
		ca = &CABundle{Inline: d.inline}
		if problems.checkCertificate(ca, c); len(problems) > 0 {
			return nil, problems
		}
	}
	return compile(sources, ca, c), nil
}
