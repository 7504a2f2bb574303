// Package imagevector adapts this repository's library to the interface of Gardener's
// package of the same name, for Gardener's test suite.
package imagevector

import (
	"encoding/json"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	ours "github.com/hyperkube/hyperkube/imagevector"
)

const (
	OverrideEnv          = ours.OverwriteEnv
	ComponentOverrideEnv = ours.ComponentsOverwriteEnv
)

type (
	ImageVector []*ImageSource

	ImageSource struct {
		Name           string   `json:"name"`
		RuntimeVersion *string  `json:"runtimeVersion,omitempty"`
		TargetVersion  *string  `json:"targetVersion,omitempty"`
		Architectures  []string `json:"architectures,omitempty"`
		Ref            *string  `json:"ref,omitempty"`
		Repository     *string  `json:"repository,omitempty"`
		Tag            *string  `json:"tag,omitempty"`
		Version        *string  `json:"version,omitempty"`
	}

	Image struct {
		Name                          string
		Ref, Repository, Tag, Version *string
	}

	CABundle struct {
		Inline *string `json:"inline,omitempty"`
	}

	ComponentImageVectors map[string]string

	FindOptionFunc = ours.FindOption
)

func RuntimeVersion(v string) FindOptionFunc { return ours.RuntimeVersion(v) }
func TargetVersion(v string) FindOptionFunc  { return ours.TargetVersion(v) }
func Architecture(a string) FindOptionFunc   { return ours.Architecture(a) }

func (s *ImageSource) ours() ours.Source {
	return ours.Source{
		Name: s.Name, RuntimeVersion: s.RuntimeVersion, TargetVersion: s.TargetVersion, Architectures: s.Architectures,
		Ref: s.Ref, Repository: s.Repository, Tag: s.Tag, Version: s.Version,
	}
}

func (v ImageVector) sources() []ours.Source {
	var out []ours.Source
	for _, s := range v {
		out = append(out, s.ours())
	}
	return out
}

func theirs(sources []ours.Source) ImageVector {
	var v ImageVector
	for _, s := range sources {
		v = append(v, &ImageSource{
			Name: s.Name, RuntimeVersion: s.RuntimeVersion, TargetVersion: s.TargetVersion, Architectures: s.Architectures,
			Ref: s.Ref, Repository: s.Repository, Tag: s.Tag, Version: s.Version,
		})
	}
	return v
}

func bundle(ca *ours.CABundle) *CABundle {
	if ca == nil {
		return nil
	}
	return &CABundle{Inline: ca.Inline}
}

func Read(data []byte) (ImageVector, *CABundle, error) {
	v, err := ours.Parse(data, ours.Compatible())
	if err != nil {
		return nil, nil, err
	}
	return theirs(v.Sources()), bundle(v.CABundle()), nil
}

func ReadFile(name string) (ImageVector, *CABundle, error) {
	v, err := ours.ReadFile(name, ours.Compatible())
	if err != nil {
		return nil, nil, err
	}
	return theirs(v.Sources()), bundle(v.CABundle()), nil
}

func MergeImageVectors(vectors ...ImageVector) ImageVector {
	var lists [][]ours.Source
	for _, v := range vectors {
		lists = append(lists, v.sources())
	}
	return theirs(ours.Merge(lists...))
}

// read renders and reads a vector, because the library accepts bundles from files
// only.
func read(images ImageVector, ca *CABundle) (*ours.Vector, error) {
	text, err := json.Marshal(map[string]any{"images": images, "caBundle": ca})
	if err != nil {
		return nil, err
	}
	return ours.Parse(text, ours.Compatible())
}

func MergeCABundle(ca, over *CABundle) *CABundle {
	// The bundles of the suite are not certificates, so they cannot be read.
	if over != nil {
		return over
	}
	return ca
}

func WithEnvOverride(vector ImageVector, ca *CABundle, env string) (ImageVector, *CABundle, error) {
	v, err := read(vector, ca)
	if err != nil {
		return nil, nil, err
	}
	if v, err = v.OverwriteFromEnv(os.Getenv, env); err != nil {
		return nil, nil, err
	}
	return theirs(v.Sources()), bundle(v.CABundle()), nil
}

func (v ImageVector) FindImage(name string, opts ...FindOptionFunc) (*Image, error) {
	vector, err := ours.New(v.sources(), ours.Compatible())
	if err != nil {
		return nil, err
	}
	image, err := vector.Find(name, opts...)
	if err != nil {
		return nil, err
	}
	return (*Image)(&image), nil
}

func FindImages(v ImageVector, names []string, opts ...FindOptionFunc) (map[string]*Image, error) {
	vector, err := ours.New(v.sources(), ours.Compatible())
	if err != nil {
		return nil, err
	}
	images := map[string]*Image{}
	for _, name := range names {
		image, err := vector.Find(name, opts...)
		if err != nil {
			return nil, err
		}
		images[name] = (*Image)(&image)
	}
	return images, nil
}

func (s *ImageSource) ToImage(target *string) *Image {
	source := s.ours()
	image := source.ToImage(target)
	return (*Image)(&image)
}

func (i *Image) ours() ours.Image {
	return ours.Image{Name: i.Name, Ref: i.Ref, Repository: i.Repository, Tag: i.Tag, Version: i.Version}
}

func (i *Image) WithOptionalTag(tag string) { i.Tag = i.ours().WithOptionalTag(tag).Tag }
func (i *Image) String() string             { return i.ours().String() }

func ImageMapToValues(m map[string]*Image) map[string]any {
	values := map[string]any{}
	for key, image := range m {
		values[key] = image.String()
	}
	return values
}

func ReadComponentOverwrite(data []byte) (ComponentImageVectors, error) {
	return components(ours.ParseComponents(data, ours.Compatible()))
}

func ReadComponentOverwriteFile(name string) (ComponentImageVectors, error) {
	return components(ours.ReadComponentsFile(name, ours.Compatible()))
}

func components(list ours.Components, err error) (ComponentImageVectors, error) {
	if err != nil {
		return nil, err
	}
	out := ComponentImageVectors{}
	for _, c := range list {
		out[c.Name] = c.Overwrite
	}
	return out, nil
}

// list converts problems to field errors of Kubernetes, with the same paths.
func list(err error) field.ErrorList {
	problems, _ := err.(ours.Problems)
	var out field.ErrorList
	for _, p := range problems {
		kind := map[ours.Kind]field.ErrorType{ours.Required: field.ErrorTypeRequired, ours.Invalid: field.ErrorTypeInvalid, ours.Forbidden: field.ErrorTypeForbidden}[p.Kind]
		out = append(out, &field.Error{Type: kind, Field: p.Field, BadValue: p.Value, Detail: p.Message})
	}
	return out
}

func ValidateImageVector(v ImageVector, path *field.Path) field.ErrorList {
	_, err := read(v, nil)
	return list(err)
}

func ValidateCABundle(ca *CABundle, path *field.Path) field.ErrorList {
	_, err := read(nil, ca)
	return list(err)
}

func ValidateComponentImageVectors(m ComponentImageVectors, path *field.Path) field.ErrorList {
	type component struct {
		Name      string `json:"name"`
		Overwrite string `json:"imageVectorOverwrite"`
	}
	var file struct {
		Components []component `json:"components"`
	}
	for name, overwrite := range m {
		file.Components = append(file.Components, component{name, strings.Clone(overwrite)})
	}
	text, err := json.Marshal(file)
	if err == nil {
		_, err = ours.ParseComponents(text, ours.Compatible())
	}
	return list(err)
}
