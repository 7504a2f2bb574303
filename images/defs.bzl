"""Macros of the generated BUILD files of images/, and rules for other packages."""

load("//images/private:archive.bzl", _image_archive = "image_archive")
load("//images/private:image.bzl", _image = "image", _image_aliases = "image_aliases")
load("//images/private:layer.bzl", _layer = "layer", _layer_rule = "layer_rule")
load("//images/private:package_layer.bzl", _package_layer = "package_layer", _package_layer_rule = "package_layer_rule")

image = _image
image_aliases = _image_aliases
image_archive = _image_archive
layer = _layer
layer_rule = _layer_rule
package_layer = _package_layer
package_layer_rule = _package_layer_rule
