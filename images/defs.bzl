"""Macros of the generated BUILD files of images/, and image_archive for other packages."""

load("//images/private:archive.bzl", _image_archive = "image_archive")
load("//images/private:image.bzl", _image = "image", _image_aliases = "image_aliases")
load("//images/private:layer.bzl", _layer = "layer")
load("//images/private:package_layer.bzl", _package_layer = "package_layer")

image = _image
image_aliases = _image_aliases
image_archive = _image_archive
layer = _layer
package_layer = _package_layer
