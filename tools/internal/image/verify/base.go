package verify

import (
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
	"github.com/hyperkube/hyperkube/versions"
)

// baseImage is the image that another image extends. It is empty for an image
// built from scratch.
type baseImage struct {
	config *v1.ConfigFile
	layers []v1.Layer // the lowest layers of the other image
}

// base reads the pinned base image of a build.
func (i *inspector) base(build versions.Build) (baseImage, error) {
	pin := build.Base
	if pin == (versions.BasePin{}) {
		return baseImage{config: &v1.ConfigFile{}}, nil
	}
	dir, ok := i.bases[build.Platform]
	if !ok {
		return baseImage{}, incomplete{fmt.Errorf("missing layout of the base image %s. Fix: run hk fetch --base %s --platform %s -o DIR, and pass --base %s=DIR",
			pin.BaseKey, pin.Image, pin.Platform, build.Platform)}
	}
	base, err := readBase(dir, pin)
	if err != nil {
		return baseImage{}, fmt.Errorf("base image %s: %w", pin.BaseKey, err)
	}
	return base, nil
}

func readBase(dir string, pin versions.BasePin) (base baseImage, err error) {
	read, err := layout.Open(dir)
	if err != nil {
		return base, err
	}
	img := read.Image
	if img == nil {
		return base, fmt.Errorf("reading layout %q: want the image for %s, got an index", dir, pin.Platform)
	}
	// Package validate does not wrap errors, so read its inputs before.
	digest, err1 := img.Digest()
	_, err2 := img.RawConfigFile()
	if err := errors.Join(err1, err2); err != nil {
		return base, err
	}
	if err := validate.Image(img, validate.Fast); err != nil {
		return base, err
	}
	if digest.String() != "sha256:"+pin.SHA256.String() {
		return base, fmt.Errorf("want manifest sha256 %s, got %s in %q", pin.SHA256, digest.Hex, dir)
	}
	if base.config, err = img.ConfigFile(); err != nil {
		return base, err
	}
	base.layers, err = img.Layers()
	return base, err
}

// checkBaseLayers checks that the layers begin with those of the base image.
func (b baseImage) checkBaseLayers(layers []v1.Layer) error {
	var errs []error
	for i, l := range b.layers {
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
