package imagevector

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/hyperkube/hyperkube/imagevector/internal/yamljson"
)

// vectorSchema returns the schema of an image vector.
func vectorSchema() *yamljson.Schema {
	text := yamljson.Text()
	return yamljson.Object(map[string]*yamljson.Schema{
		"images": yamljson.List(yamljson.Object(map[string]*yamljson.Schema{
			"name": text, "runtimeVersion": text, "targetVersion": text, "architectures": yamljson.List(text),
			"ref": text, "repository": text, "tag": text, "version": text,
		})),
		"caBundle": yamljson.Object(map[string]*yamljson.Schema{"inline": text}),
	})
}

// componentsSchema returns the schema of a file of component overwrites.
func componentsSchema() *yamljson.Schema {
	text := yamljson.Text()
	return yamljson.Object(map[string]*yamljson.Schema{
		"components": yamljson.List(yamljson.Object(map[string]*yamljson.Schema{"name": text, "imageVectorOverwrite": text})),
	})
}

// decodeCompatible decodes data into a struct, with the errors of Gardener. It
// returns the tree for positions, which is nil if only the parser of Gardener can
// parse the text.
func decodeCompatible(data []byte, schema *yamljson.Schema, into any) (*yaml.Node, error) {
	root, _, _ := parseTree(data)
	if err := checkLimits(data, root); err != nil {
		return nil, err
	}
	text, err := yamljson.Convert(data, schema, yamljson.Limits{Values: maxExpanded, Bytes: maxBytes})
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

// decoded is a vector as decoded from a file.
type decoded struct {
	sources []*Source // nil for a null entry
	ca      *CABundle
	root    *yaml.Node
}

func decodeVector(data []byte) (*decoded, error) {
	// The names and tags of these types, and of CABundle, are part of error texts, so
	// they are those of Gardener.
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
	var file struct {
		Images   ImageVector `json:"images" yaml:"images"`
		CABundle *CABundle   `json:"caBundle,omitempty" yaml:"caBundle,omitempty"`
	}
	root, err := decodeCompatible(data, vectorSchema(), &file)
	if err != nil {
		return nil, err
	}
	d := &decoded{root: root, sources: make([]*Source, len(file.Images)), ca: file.CABundle}
	for i, s := range file.Images {
		if s != nil {
			d.sources[i] = &Source{
				Name: s.Name, RuntimeVersion: s.RuntimeVersion, TargetVersion: s.TargetVersion, Architectures: s.Architectures,
				Ref: s.Ref, Repository: s.Repository, Tag: s.Tag, Version: s.Version,
			}
		}
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
		if s == nil { // Gardener panics
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
			return nil, &LimitError{fmt.Sprintf("more than %d problems", maxProblems)}
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	if problems.checkCertificate(d.ca, c); len(problems) > 0 {
		return nil, problems
	}
	return compile(sources, d.ca, c), nil
}
