package imagevector

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// A Source is an entry of an image vector. A nil pointer is an absent field, which
// differs from an empty one.
type Source struct {
	Name string `json:"name"`
	// RuntimeVersion and TargetVersion are constraints on the version of the
	// Kubernetes cluster that the image runs on and works for, in the syntax of
	// github.com/Masterminds/semver.
	RuntimeVersion *string `json:"runtimeVersion,omitempty"`
	TargetVersion  *string `json:"targetVersion,omitempty"`
	// Architectures are those of the machines; nil means amd64 and arm64.
	Architectures []string `json:"architectures,omitzero"`

	// The image is Ref, or Repository with an optional Tag. A tag can be a digest
	// ("sha256:…") or end with one ("v1.2.3@sha256:…"). Without Ref and Tag, the
	// target version of a lookup becomes the tag.
	Ref        *string `json:"ref,omitempty"`
	Repository *string `json:"repository,omitempty"`
	Tag        *string `json:"tag,omitempty"`
	// Version is that of the image. Selection ignores it.
	Version *string `json:"version,omitempty"`

	// Position is that of the entry in its file, if any.
	Position Position `json:"-"`
}

// An Image is the result of a lookup. Nil pointers are absent fields. The strings
// are shared with the vector and must not be modified.
type Image struct {
	Name       string  `json:"name"`
	Ref        *string `json:"ref,omitempty"`
	Repository *string `json:"repository,omitempty"`
	Tag        *string `json:"tag,omitempty"`
	Version    *string `json:"version,omitempty"`
}

// A CABundle has the certificate authorities of the registries of a vector.
type CABundle struct {
	Inline *string `json:"inline,omitempty"` // PEM
}

// A Position is a position in a file. The zero value is unknown.
type Position struct {
	File         string // its name, see WithFile; may be empty
	Line, Column int    // from 1; 0 if unknown
}

// String returns the position as "images.yaml:12:5", or "12:5" without a file name.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	s := strconv.Itoa(p.Line)
	if p.Column > 0 {
		s += ":" + strconv.Itoa(p.Column)
	}
	if p.File != "" {
		s = p.File + ":" + s
	}
	return s
}

// ToImage returns the image of an entry for a target version, which may be nil.
func (s *Source) ToImage(targetVersion *string) Image {
	if s.Ref != nil {
		return Image{Name: s.Name, Ref: s.Ref, Version: s.Version}
	}
	tag := s.Tag
	if tag == nil && targetVersion != nil {
		t := tagOf(*targetVersion)
		tag = &t
	}
	return Image{Name: s.Name, Repository: s.Repository, Tag: tag, Version: cmp.Or(s.Version, tag)}
}

// versionMark replaces the version of a lookup in [Source.Reference].
const versionMark = "{version}"

// Reference returns the image of an entry as [Image.String] formats it. Its tag is
// "v{version}" if the target version becomes the tag.
func (s *Source) Reference() string {
	mark := versionMark
	return s.ToImage(&mark).String()
}

// takesVersion reports whether the target version becomes the tag of an entry.
func (s *Source) takesVersion() bool { return s.Ref == nil && s.Tag == nil }

// String returns the reference of the image for a container runtime.
func (i Image) String() string {
	switch {
	case i.Ref != nil:
		return *i.Ref
	case i.Repository == nil:
		return ""
	case i.Tag == nil:
		return *i.Repository
	case strings.HasPrefix(*i.Tag, "sha256:"):
		return *i.Repository + "@" + *i.Tag
	}
	return *i.Repository + ":" + *i.Tag
}

// WithOptionalTag returns the image with the tag, unless it has a Tag or Ref.
func (i Image) WithOptionalTag(tag string) Image {
	if i.Ref == nil && i.Tag == nil {
		i.Tag = &tag
	}
	return i
}

// clone returns a deep copy.
func (s Source) clone() Source {
	for _, field := range []**string{&s.RuntimeVersion, &s.TargetVersion, &s.Ref, &s.Repository, &s.Tag, &s.Version} {
		if *field != nil {
			value := **field
			*field = &value
		}
	}
	s.Architectures = slices.Clone(s.Architectures)
	return s
}
