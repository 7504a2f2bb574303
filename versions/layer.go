package versions

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Layer is a file of an image, or a group of symlinks. Images with the same file at
// the same path share the layer.
type Layer struct {
	Pin         Pin // zero for symlinks
	Path        string
	Mode        int64
	Symlinks    []Symlink
	Compression Compression
	// Package and Name are those of the Bazel label. They must not change: rules_oci
	// writes the label into the image's history, so it is part of the digest.
	Package, Name string
}

// Label returns the Bazel label of the layer, "//images/layers/v1_36:…".
func (l Layer) Label() string { return "//" + l.Package + ":" + l.Name }

func (l Layer) equal(m Layer) bool {
	return l.Pin == m.Pin && l.Path == m.Path && l.Mode == m.Mode && l.Compression == m.Compression && slices.Equal(l.Symlinks, m.Symlinks)
}

// fileLayer returns the layer of a file. Its name has file, version and platform,
// and source, path, mode and compression if they are not the default.
func fileLayer(f *Flavor, file FlavorFile, pin Pin) Layer {
	l := Layer{Pin: pin, Path: file.Path, Mode: file.Mode, Compression: f.Compression, Package: "images/layers"}
	name := []string{pin.File}
	if pin.Version != (Version{}) {
		l.Package += "/" + pin.Version.MinorLabel()
		name = append(name, pin.Version.Label())
	}
	name = append(name, pin.Platform.Label())
	if pin.Source != "kubernetes" && pin.Version != (Version{}) {
		name = append(name, "from", pin.Source)
	}
	if path.Base(file.Path) != pin.File || path.Dir(file.Path) != "/" {
		name = append(name, "at"+strings.ReplaceAll(file.Path, "/", "_"))
	}
	if file.Mode != 0o755 {
		name = append(name, fmt.Sprintf("mode_%04o", file.Mode))
	}
	if f.Compression != Gzip {
		name = append(name, string(f.Compression))
	}
	l.Name = strings.Join(name, "_")
	return l
}

// symlinkLayer returns the layer of a group of symlinks.
func symlinkLayer(f *Flavor, group Symlinks) Layer {
	l := Layer{Symlinks: group.Links, Compression: f.Compression, Package: "images/layers", Name: "symlinks_" + f.Name}
	if group.Name != "" {
		l.Name += "_" + group.Name
	}
	return l
}
