package versions

import (
	"fmt"
	"slices"
	"strings"
)

// Layer is a file of an image, a group of symlinks, a set of packages, or the file with
// the pins of the image. Images with the same file at the same path share the layer.
type Layer struct {
	Pin         Pin // of a file; zero for all others
	Path        string
	Mode        int64
	Symlinks    []Symlink
	Packages    *PackageLayer // nil for all others
	Pinned      []Layer       // the image's layers with a pin, for the file of pins; nil for all others
	Compression Compression
	// Package and Name are those of the Bazel label. They must not change: rules_oci
	// writes the label into the image's history, so it is part of the digest.
	Package, Name string
}

// Label returns the Bazel label of the layer, "//images/layers/v1_36:…".
func (l Layer) Label() string { return "//" + l.Package + ":" + l.Name }

func (l Layer) equal(m Layer) bool {
	return l.Pin == m.Pin && l.Path == m.Path && l.Mode == m.Mode && l.Compression == m.Compression && l.Packages == m.Packages && slices.Equal(l.Symlinks, m.Symlinks)
}

// describe returns the content of the layer for errors.
func (l Layer) describe() string {
	switch {
	case l.Packages != nil:
		return "packages " + l.Packages.Name()
	case len(l.Symlinks) > 0:
		return "symlink " + l.Symlinks[0].Path
	}
	return fmt.Sprintf("%s at %s", l.Pin.FileKey, l.Path)
}

// fileLayer returns the layer of a file. Its name has file, version and platform,
// and source, path, mode and compression if they are not the default.
func fileLayer(f *Flavor, file FlavorFile, pin Pin) Layer {
	l := Layer{Pin: pin, Path: file.Path, Mode: file.Mode, Compression: f.Compression, Package: "images/layers"}
	// Appending takes a third of the time of joining parts. A catalog can have
	// 100,000 layers.
	name := append(make([]byte, 0, 96), pin.File...)
	if pin.Version != (Version{}) {
		l.Package += "/" + pin.Version.MinorLabel()
		name = pin.Version.append(append(name, '_'), '_')
	}
	name = append(append(append(append(name, '_'), pin.Platform.os...), '_'), pin.Platform.arch...)
	if pin.Source != "kubernetes" && pin.Version != (Version{}) {
		name = append(append(name, "_from_"...), pin.Source...)
	}
	if file.Path != "/"+pin.File {
		name = append(append(name, "_at"...), strings.ReplaceAll(file.Path, "/", "_")...)
	}
	if file.Mode != 0o755 {
		name = fmt.Appendf(name, "_mode_%04o", file.Mode)
	}
	if f.Compression != Gzip {
		name = append(append(name, '_'), f.Compression...)
	}
	l.Name = string(name)
	return l
}

// pinsMode is the mode of a file of pins.
const pinsMode = 0o644

// pinsLayer returns the layer with the pins of an image's files for a platform. It
// belongs to the image, whose other layers do not change if it does.
func pinsLayer(image Image, platform Platform, pinned []Layer) Layer {
	return Layer{
		Pinned: pinned, Path: image.Flavor.Pins, Mode: pinsMode, Compression: image.Flavor.Compression,
		Package: image.Package(), Name: "pins_" + Label(image.Tag) + "_" + platform.arch,
	}
}

// PinsFile returns the content of the layer's file of pins.
func (l Layer) PinsFile() []byte {
	lock := NewLock()
	for _, p := range l.Pinned {
		lock.Set(Pin{FileKey: p.Pin.FileKey, SHA256: p.Pin.SHA256})
	}
	return lock.Format()
}

// symlinkLayer returns the layer of a group of symlinks.
func symlinkLayer(f *Flavor, group Symlinks) Layer {
	l := Layer{Symlinks: group.Links, Compression: f.Compression, Package: "images/layers", Name: "symlinks_" + f.Name}
	if group.Name != "" {
		l.Name += "_" + group.Name
	}
	return l
}
