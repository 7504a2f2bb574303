package sbom

import (
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/debian/deb"
	"github.com/hyperkube/hyperkube/versions"
)

// Contents are the files and packages of an image for one platform.
type Contents struct {
	Platform versions.Platform
	Base     versions.BasePin // zero: scratch
	Programs []Program
	Packages []Package
	Files    []File // of this repository
}

// File is a file of this repository that is no program.
type File struct {
	Path   string // in the image
	SHA256 versions.Digest
}

// Program is a file of an image.
type Program struct {
	Pin    versions.Pin
	Path   string              // in the image
	Source versions.SourceKind // of the pin
	// Info is the Go build information of the file, nil without any: the toolchains
	// of old versions wrote none that is readable.
	Info *buildinfo.BuildInfo
}

// Package is a Debian package of an image.
type Package struct {
	versions.PackagePin
	URL   string // of the .deb
	Suite string // "trixie"
	// SourceName and SourceVersion are those of the source package.
	SourceName, SourceVersion string
	Homepage                  string
}

// Files opens the files of an image. Its methods verify them.
type Files interface {
	Path(context.Context, versions.Pin) (string, error)
	OpenPackage(context.Context, versions.PackagePin) (io.ReadCloser, error)
}

// Read returns the contents of an image for one platform. It reads the build
// information of programs and the control files of packages.
func Read(ctx context.Context, files Files, catalog *versions.Catalog, build versions.Build) (Contents, error) {
	c := Contents{Platform: build.Platform, Base: build.Base}
	for _, l := range build.Layers {
		switch {
		case l.Packages != nil:
			// A layer has the packages of its last set; those below have layers of their own.
			for _, pin := range l.Packages.Sets[len(l.Packages.Sets)-1].Packages {
				p, err := readPackage(ctx, files, catalog.Lock, pin)
				if err != nil {
					return Contents{}, err
				}
				c.Packages = append(c.Packages, p)
			}
		case l.Pinned != nil:
			c.Files = append(c.Files, File{l.Path, versions.NewDigest(sha256.Sum256(l.PinsFile()))})
		case len(l.Symlinks) == 0:
			p, err := readProgram(ctx, files, catalog.Manifest, l)
			if err != nil {
				return Contents{}, err
			}
			c.Programs = append(c.Programs, p)
		}
	}
	return c, nil
}

func readProgram(ctx context.Context, files Files, m *versions.Manifest, l versions.Layer) (Program, error) {
	source, _ := m.Source(l.Pin.Source)
	p := Program{Pin: l.Pin, Path: l.Path, Source: source.Kind}
	file, err := files.Path(ctx, l.Pin)
	if err != nil {
		return Program{}, err
	}
	f, err := os.Open(file)
	if err != nil {
		return Program{}, fmt.Errorf("reading %s: %w", l.Pin.FileKey, err)
	}
	defer f.Close()
	info, err := buildinfo.Read(f)
	if _, failed := errors.AsType[*fs.PathError](err); failed {
		return Program{}, fmt.Errorf("reading %s: %w", l.Pin.FileKey, err)
	}
	p.Info = info
	return p, nil
}

func readPackage(ctx context.Context, files Files, lock *versions.Lock, pin versions.PackagePin) (Package, error) {
	content, err := files.OpenPackage(ctx, pin)
	if err != nil {
		return Package{}, err
	}
	defer content.Close()
	r, err := deb.NewReader(content)
	if err == nil {
		err = r.Close()
	}
	if err == nil {
		_, err = io.Copy(io.Discard, content) // the digest is verified at the end
	}
	if err != nil {
		return Package{}, fmt.Errorf("reading %s: %w", pin.Key(), err)
	}
	p := Package{PackagePin: pin, URL: lock.SnapshotURL(pin), Suite: lock.Suite(), Homepage: r.Control.Field("Homepage")}
	// "glibc", or "glibc (2.41-12)" if the version is another one.
	name, version, _ := strings.Cut(r.Control.Field("Source"), " ")
	p.SourceName, p.SourceVersion = name, strings.Trim(version, "()")
	if p.SourceName == "" {
		p.SourceName = pin.Name
	}
	if p.SourceVersion == "" {
		p.SourceVersion = pin.Version
	}
	return p, nil
}
