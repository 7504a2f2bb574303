package imagevector

import (
	"slices"
	"strconv"
	"strings"
)

// A Source is one entry of an image vector. A nil pointer is a field that is
// absent, which is not the same as an empty one.
type Source struct {
	Name string `json:"name"`
	// RuntimeVersion and TargetVersion are constraints on the Kubernetes version
	// the image runs on and works for, as github.com/Masterminds/semver reads them.
	RuntimeVersion *string `json:"runtimeVersion,omitempty"`
	TargetVersion  *string `json:"targetVersion,omitempty"`
	// Architectures of the machines the image is for; nil means amd64 and arm64.
	Architectures []string `json:"architectures,omitzero"`

	// Either Ref, or Repository and perhaps a Tag. A tag may be a digest
	// ("sha256:…") or have one at its end ("v1.2.3@sha256:…"). Where there is
	// neither, the target version looked up becomes the tag.
	Ref        *string `json:"ref,omitempty"`
	Repository *string `json:"repository,omitempty"`
	Tag        *string `json:"tag,omitempty"`
	// Version of the image, for people; nothing is chosen by it.
	Version *string `json:"version,omitempty"`

	// Position is where the entry was read, if it was.
	Position Position `json:"-"`
}

// An Image is what a look-up chooses. Nil pointers are fields that are absent.
// The strings belong to the vector: read them, do not write to them.
type Image struct {
	Name       string  `json:"name"`
	Ref        *string `json:"ref,omitempty"`
	Repository *string `json:"repository,omitempty"`
	Tag        *string `json:"tag,omitempty"`
	Version    *string `json:"version,omitempty"`
}

// A CABundle has the certificates that the registries of a vector are trusted by.
type CABundle struct {
	Inline *string `json:"inline,omitempty"` // PEM
}

// A Position is a place in a file; the zero value is nowhere.
type Position struct {
	File         string // as named by whoever read it; may be empty
	Line, Column int    // from 1; 0 if not known
}

// String returns "images.yaml:12:5", or "12:5" where the file has no name.
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

// ToImage makes the image of an entry for a target version, nil if none is asked.
func (s *Source) ToImage(targetVersion *string) Image {
	if s.Ref != nil {
		return Image{Name: s.Name, Ref: s.Ref, Version: s.Version}
	}
	tag := s.Tag
	if tag == nil && targetVersion != nil {
		t := tagOf(*targetVersion)
		tag = &t
	}
	version := s.Version
	if version == nil {
		version = tag
	}
	return Image{Name: s.Name, Repository: s.Repository, Tag: tag, Version: version}
}

// versionMark stands for the version looked up in [Source.Reference].
const versionMark = "{version}"

// Reference returns the image of an entry as [Image.String] writes it. Where the
// target version becomes the tag, that is "v{version}".
func (s *Source) Reference() string {
	mark := versionMark
	return s.ToImage(&mark).String()
}

// takesVersion tells whether the target version becomes the tag of an entry.
func (s *Source) takesVersion() bool { return s.Ref == nil && s.Tag == nil }

// String returns the image as a container runtime wants it.
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

// WithOptionalTag returns the image with the tag, unless it has one or a Ref.
func (i Image) WithOptionalTag(tag string) Image {
	if i.Ref == nil && i.Tag == nil {
		i.Tag = &tag
	}
	return i
}

// Equal tells whether two images are the same, absent fields told from empty ones.
func (i Image) Equal(j Image) bool {
	return i.Name == j.Name && same(i.Ref, j.Ref) && same(i.Repository, j.Repository) && same(i.Tag, j.Tag) && same(i.Version, j.Version)
}

func same(a, b *string) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// clone returns a copy that shares nothing with s that could be written to.
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
