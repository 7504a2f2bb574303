package verify

import (
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
	"github.com/hyperkube/hyperkube/versions"
)

// ground is what an image is built upon. Its layers are the first ones.
type ground struct {
	config *v1.ConfigFile
	layers []v1.Layer
}

// base reads the base image, which has to be the pinned one; of an image on
// scratch it is empty.
func (l *look) base(build versions.Build) (ground, error) {
	pin := build.Base
	if pin == (versions.BasePin{}) {
		return ground{config: &v1.ConfigFile{}}, nil
	}
	dir, ok := l.bases[build.Platform]
	if !ok {
		return ground{}, fmt.Errorf("it has the base image %s, whose layout is wanted: go run ./tools/fetch -base %s -platform %s -o FOLDER", pin.BaseKey, pin.Image, pin.Platform)
	}
	fail := func(err error) (ground, error) { return ground{}, fmt.Errorf("base image %s: %w", pin.BaseKey, err) }
	read, err := layout.Open(dir)
	if err != nil {
		return fail(err)
	}
	img := read.Image
	if img == nil {
		return fail(fmt.Errorf("reading layout %q: it has an index; want the image for %s", dir, pin.Platform))
	}
	if err := validate.Image(img, validate.Fast); err != nil {
		return fail(err)
	}
	digest, err := img.Digest()
	if err != nil {
		return fail(err)
	}
	if digest.String() != "sha256:"+pin.SHA256.String() {
		return fail(fmt.Errorf("want manifest sha256 %s, got %s in %q", pin.SHA256, digest.Hex, dir))
	}
	var g ground
	if g.config, err = img.ConfigFile(); err != nil {
		return fail(err)
	}
	if g.layers, err = img.Layers(); err != nil {
		return fail(err)
	}
	return g, nil
}

// under wants the base's layers, unchanged, below all others.
func (g ground) under(layers []v1.Layer) error {
	var errs []error
	for i, l := range g.layers {
		want, err1 := l.Digest()
		got, err2 := layers[i].Digest()
		err := errors.Join(err1, err2)
		if err == nil && got != want {
			err = fmt.Errorf("want %s, got %s", want, got)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("layer %d of the base image: %w", i, err))
		}
	}
	return errors.Join(errs...)
}
