"""Images: one a platform, an index of them, and what is done with it."""

load("@rules_oci//oci:defs.bzl", "oci_image", "oci_image_index", "oci_load", "oci_push")

# A wildcard would fetch every binary of every version: images are asked for by
# name.
_TAGS = ["manual"]
_VISIBILITY = ["//images:__subpackages__"]

_CPUS = {
    "amd64": "@platforms//cpu:x86_64",
    "arm64": "@platforms//cpu:aarch64",
}

def image(name, layers, repository, tag, entrypoint, labels = None, visibility = _VISIBILITY, **kwargs):
    """A multi-architecture image on scratch.

    Makes `NAME`, the index, and beside it `NAME_amd64`, `NAME_arm64`,
    `push_NAME` and `load_NAME`.

    Args:
        name: the image's name.
        layers: platform to labels of its layers, in order; the platforms are
            the manifests of the index, in order.
        repository: where to push, unless --repository says otherwise.
        tag: the tag to push.
        entrypoint: a list.
        labels: a dict.
        visibility: of all targets.
        **kwargs: further attributes of oci_image: cmd, env, user, workdir.
    """
    images = {}
    for platform, tars in layers.items():
        os, arch = platform.split("/")
        if arch not in _CPUS:
            fail("image %s: layers: platform %r: want the architecture to be one of %s" % (name, platform, _CPUS.keys()))
        images[arch] = "%s_%s" % (name, arch)
        oci_image(
            name = images[arch],
            os = os,
            architecture = arch,
            tars = tars,
            entrypoint = entrypoint,
            labels = labels,
            tags = _TAGS,
            visibility = visibility,
            **kwargs
        )
    oci_image_index(
        name = name,
        images = images.values(),
        tags = _TAGS,
        visibility = visibility,
    )
    oci_push(
        name = "push_" + name,
        image = name,
        repository = repository,
        remote_tags = [tag],
        tags = _TAGS,
        visibility = visibility,
    )

    # A container engine runs one platform: the machine's own.
    oci_load(
        name = "load_" + name,
        image = select({_CPUS[arch]: label for arch, label in images.items()}),
        repo_tags = ["%s:%s" % (repository, tag)],
        tags = _TAGS,
        visibility = visibility,
    )

def published(name, image, architectures):
    """The names under which people ask for an image.

    Args:
        name: of the index; push_NAME, load_NAME and NAME_ARCH go with it.
        image: label of what `image` made.
        architectures: of the image.
    """
    package, _, target = image.rpartition(":")
    names = {name: target, "push_" + name: "push_" + target, "load_" + name: "load_" + target}
    names.update({"%s_%s" % (name, arch): "%s_%s" % (target, arch) for arch in architectures})
    for alias, actual in names.items():
        native.alias(
            name = alias,
            actual = "%s:%s" % (package, actual),
            tags = _TAGS,
        )
