// Package inspect reads images that anybody built, from a registry, a layout or a saved
// archive, and looks up every file of every layer in the lock. Blobs are verified
// while they are read, and not written to disk.
package inspect

import (
	"fmt"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/identify"
	"github.com/hyperkube/hyperkube/versions"
)

// Report is the result for one registry reference, layout or archive.
type Report struct {
	Source string  `json:"source"`
	Images []Image `json:"images"`
}

// Image is an index or a single-platform image.
type Image struct {
	Names     []string   `json:"names,omitempty"`  // that the source has for it
	Digest    string     `json:"digest,omitempty"` // docker's archives have none
	Recorded  []string   `json:"recorded"`         // images on record with the digest
	Platforms []Platform `json:"platforms"`
	// Skipped has the digests of what is not an image, such as attestations.
	Skipped    []string `json:"skipped,omitempty"`
	Violations []string `json:"violations"`
}

// Platform is the image for one platform.
type Platform struct {
	Platform string   `json:"platform"`
	Manifest string   `json:"manifest,omitempty"`
	Config   string   `json:"config"`
	Recorded []string `json:"recorded"` // images on record with the manifest
	// SameLayers has the images on record with the same uncompressed layers.
	SameLayers []string `json:"sameLayers"`
	Files      []File   `json:"files"` // of the lock, or of Kubernetes; all of them if wanted
	Others     Others   `json:"others"`
}

// File is a file of a layer.
type File struct {
	Path    string            `json:"path"`
	Layer   int               `json:"layer"` // from 0, the lowest
	Size    int64             `json:"size"`
	SHA256  versions.Digest   `json:"sha256"`
	Verdict identify.Verdict  `json:"verdict"`
	Pin     *identify.Pin     `json:"pin,omitempty"`
	Program *identify.Program `json:"program,omitempty"` // unless pinned
	Nearest *identify.Pin     `json:"nearest,omitempty"`
	Notes   []string          `json:"notes,omitempty"`
	// Hidden is set if a higher layer removes or replaces the file.
	Hidden bool     `json:"hidden,omitempty"`
	Links  []string `json:"links,omitempty"` // hard links

	kubernetes bool // to be official
}

// Others counts the files that Files does not list.
type Others struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
	ELF   int   `json:"elf"` // in ELF format: programs and libraries
}

// Violations returns those of all images.
func (r Report) Violations() []string {
	var all []string
	for _, image := range r.Images {
		all = append(all, image.Violations...)
	}
	return all
}

// check returns the violations of the files of a platform.
func (p Platform) check() []string {
	var found []string
	violation := func(f File, format string, args ...any) {
		found = append(found, fmt.Sprintf("%s %s: ", p.Platform, f.Path)+fmt.Sprintf(format, args...))
	}
	pinned := false
	for _, f := range p.Files {
		switch {
		case f.Pin != nil && f.Pin.Platform.String() != p.Platform:
			violation(f, "%s is for another platform", f.Pin.Key)
		case f.Pin == nil && f.kubernetes:
			text := "not in the lock"
			if len(f.Notes) > 0 {
				text += ": " + f.Notes[len(f.Notes)-1]
			}
			violation(f, "%s", text)
		}
		pinned = pinned || f.Pin != nil
	}
	if !pinned {
		found = append(found, p.Platform+": no file of the lock found")
	}
	return slices.Compact(found)
}
