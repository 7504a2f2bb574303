package versions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Lock is the lock, lock.json: the pins of files and base images by key, and those of
// Debian packages.
type Lock struct {
	pins      map[FileKey]Pin
	bases     map[BaseKey]BasePin
	packages  []PackagePin // sorted
	snapshots []Snapshot
}

// Pin is the pin of a file.
type Pin struct {
	FileKey
	// URL is that of the file, or of the archive that contains it; "" for a program
	// that is built from source.
	URL    string `json:"url,omitempty"`
	SHA256 Digest `json:"sha256"`         // of the file that enters the image
	Size   int64  `json:"size,omitempty"` // in bytes; 0 if unknown
	// Archive and Member are set for a member of an archive: the sha256 of the
	// archive and the path in it.
	Archive Digest `json:"archive,omitzero"`
	Member  string `json:"member,omitempty"`
}

// NewLock returns an empty lock.
func NewLock() *Lock { return &Lock{pins: map[FileKey]Pin{}, bases: map[BaseKey]BasePin{}} }

// Pin returns the pin of a file.
func (l *Lock) Pin(key FileKey) (Pin, bool) {
	pin, ok := l.pins[key]
	return pin, ok
}

// Set adds a pin. It replaces a pin with the same key.
func (l *Lock) Set(pin Pin) { l.pins[pin.FileKey] = pin }

// Pins returns all pins, by key.
func (l *Lock) Pins() []Pin {
	return slices.SortedFunc(maps.Values(l.pins), func(a, b Pin) int { return a.Compare(b.FileKey) })
}

// Find returns the pins of a digest, by key.
func (l *Lock) Find(d Digest) []Pin {
	return slices.DeleteFunc(l.Pins(), func(pin Pin) bool { return pin.SHA256 != d })
}

// Base returns the pin of a base image.
func (l *Lock) Base(key BaseKey) (BasePin, bool) {
	pin, ok := l.bases[key]
	return pin, ok
}

// SetBase adds a pin. It replaces a pin with the same key.
func (l *Lock) SetBase(pin BasePin) { l.bases[pin.BaseKey] = pin }

// Bases returns the pins of all base images, by key.
func (l *Lock) Bases() []BasePin {
	return slices.SortedFunc(maps.Values(l.bases), func(a, b BasePin) int { return a.Compare(b.BaseKey) })
}

// AllPackages returns the pins of all packages, by set, platform and name.
func (l *Lock) AllPackages() []PackagePin { return l.packages }

// Packages returns the pins of a set for a platform, by name.
func (l *Lock) Packages(set string, platform Platform) []PackagePin {
	var pins []PackagePin
	for _, pin := range l.packages {
		if pin.Set == set && pin.Platform == platform {
			pins = append(pins, pin)
		}
	}
	return pins
}

// Package returns the pin with a key, as [PackagePin.Key] returns it.
func (l *Lock) Package(key string) (PackagePin, bool) {
	i := slices.IndexFunc(l.packages, func(pin PackagePin) bool { return pin.Key() == key })
	if i < 0 {
		return PackagePin{}, false
	}
	return l.packages[i], true
}

// SetPackages replaces the pins of all packages and their snapshots.
func (l *Lock) SetPackages(pins []PackagePin, snapshots []Snapshot) {
	l.packages = slices.SortedFunc(slices.Values(pins), PackagePin.Compare)
	l.snapshots = slices.Clone(snapshots)
}

// Snapshots returns the snapshots of the archives with pinned packages.
func (l *Lock) Snapshots() []Snapshot { return l.snapshots }

// Suite returns the suite of the pinned packages, "" without any.
func (l *Lock) Suite() string {
	if len(l.snapshots) == 0 {
		return ""
	}
	return l.snapshots[0].Suite
}

// PackageFile returns the pin of a package as that of a file, whose source is
// "debian/SET" and whose URL is in the snapshot archive.
func (l *Lock) PackageFile(pin PackagePin) Pin {
	return Pin{
		FileKey: FileKey{Source: packageSource + pin.Set, Platform: pin.Platform, File: pin.Name},
		URL:     l.SnapshotURL(pin), SHA256: pin.SHA256, Size: pin.Size,
	}
}

// SnapshotURL returns the URL of a package in the snapshot archive.
func (l *Lock) SnapshotURL(pin PackagePin) string {
	i := slices.IndexFunc(l.snapshots, func(s Snapshot) bool { return s.Archive == pin.Archive })
	if i < 0 {
		return ""
	}
	return l.snapshots[i].URL() + "/" + pin.Path
}

// Format returns the bytes of lock.json, with one line for each pin, by key.
func (l *Lock) Format() []byte {
	var b bytes.Buffer
	b.WriteString("{\n  \"schema\": 1,\n  \"files\": [")
	writeLines(&b, l.Pins())
	if bases := l.Bases(); len(bases) > 0 {
		b.WriteString("\n  ],\n  \"bases\": [")
		writeLines(&b, bases)
	}
	if len(l.packages) > 0 {
		b.WriteString("\n  ],\n  \"packages\": [")
		writeLines(&b, l.packages)
		b.WriteString("\n  ],\n  \"snapshots\": [")
		writeLines(&b, l.snapshots)
	}
	b.WriteString("\n  ]\n}\n")
	return b.Bytes()
}

func writeLines[T any](b *bytes.Buffer, items []T) {
	for i, item := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n    ")
		line, err := json.Marshal(item)
		if err != nil {
			panic(err) // cannot fail for strings and numbers
		}
		b.Write(line)
	}
}

// Warnings reports files with one sha256 but different versions or platforms: in
// other projects' lists of checksums, one of such a pair was wrong.
func (l *Lock) Warnings() []string {
	seen, byDigest := make(map[Digest]bool, len(l.pins)), map[Digest][]Pin{}
	for _, pin := range l.pins {
		if seen[pin.SHA256] {
			byDigest[pin.SHA256] = nil
		}
		seen[pin.SHA256] = true
	}
	if len(byDigest) == 0 {
		return nil
	}
	for _, pin := range l.Pins() {
		if pins, ok := byDigest[pin.SHA256]; ok {
			byDigest[pin.SHA256] = append(pins, pin)
		}
	}
	var warnings []string
	for _, pins := range byDigest {
		for _, pin := range pins[1:] {
			if pin.Version != pins[0].Version || pin.Platform != pins[0].Platform {
				warnings = append(warnings, fmt.Sprintf("%s and %s have the same sha256 %s: one of them is probably wrong",
					pins[0].FileKey, pin.FileKey, pin.SHA256))
			}
		}
	}
	slices.Sort(warnings)
	return warnings
}
