"""What the generated packages of images/, and archives of images anywhere, are made with."""

load("//images/private:image.bzl", _image = "image", _published = "published")
load("//images/private:layer.bzl", _layer = "layer")
load("//images/private:saved.bzl", _saved = "saved")

image = _image
layer = _layer
published = _published
saved = _saved
