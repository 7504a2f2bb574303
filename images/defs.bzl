"""What the generated packages of images/ are made with."""

load("//images/private:image.bzl", _image = "image", _published = "published")
load("//images/private:layer.bzl", _layer = "layer")

image = _image
layer = _layer
published = _published
