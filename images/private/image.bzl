"""Macros for multi-platform images, and for aliases of their targets."""

load("@rules_oci//oci:defs.bzl", "oci_image", "oci_image_index", "oci_load")
load("//tools/bazel:labels.bzl", "base_label")
load(":archive.bzl", "image_archive")
load(":command.bzl", "command", "command_test")
load(":documents.bzl", "documents")
load(":pins_layer.bzl", "pins_layer")

# Wildcards must not fetch the binaries of all versions.
_TAGS = ["manual"]
_VISIBILITY = ["//images:__subpackages__"]

_CPUS = {
    "amd64": "@platforms//cpu:x86_64",
    "arm64": "@platforms//cpu:aarch64",
}

def image(name, layers, repository, tag, entrypoint, bases = None, pinned_bases = None, catalog_name = None, compression = "gzip", content_tag = None, labels = None, pins = None, visibility = _VISIBILITY, **kwargs):
    """Defines a multi-platform image on scratch or on a base image.

    The targets are `NAME`, the index, `NAME_amd64` and `NAME_arm64`, the images,
    `push_NAME`, `load_NAME` and `save_NAME`. An image of versions.yaml also has
    the test `test_NAME`, and `test_NAME_amd64` and `test_NAME_arm64`.

    Args:
        name: the name of the index.
        layers: dict of platforms to lists of labels of layers. The index has the
            platforms in this order.
        repository: the default repository of `push_NAME`.
        tag: the tag to push.
        entrypoint: list of strings.
        bases: dict of platforms to labels of base images, for all platforms.
        pinned_bases: dict of platforms to base images in versions/lock.json,
            REGISTRY/REPOSITORY@sha256:DIGEST, in place of `bases`.
        catalog_name: the name of an image of versions.yaml, FLAVOR:TAG. Its digests
            are compared with those in images/digests.json.
        compression: that of the layer of `pins`: gzip or zstd.
        content_tag: a second tag to push, a hash of the content. An image is not
            pushed if the repository has this tag for it.
        labels: dict of labels in the image config.
        pins: the absolute path of a file with the pins of the files in `layers`, in the
            format of versions/lock.json. It is added in the uppermost layer, the target
            `pins_NAME_ARCH`.
        visibility: visibility of all targets.
        **kwargs: other attributes of oci_image: cmd, env, user, workdir.
    """
    if pinned_bases:
        bases = {platform: base_label(base, platform) for platform, base in pinned_bases.items()}
    if pins:
        layers = {platform: _add_pins(name, platform, tars, pins, compression) for platform, tars in layers.items()}
    images = {}
    for platform, tars in layers.items():
        os, arch = platform.split("/")
        if arch not in _CPUS:
            fail("image %s: layers: platform %r: want one of the architectures %s" % (name, platform, _CPUS.keys()))
        images[arch] = "%s_%s" % (name, arch)

        # An image on a base has the platform of the base.
        base = {"base": bases[platform]} if bases else {"architecture": arch, "os": os}
        oci_image(
            name = images[arch],
            tars = tars,
            entrypoint = entrypoint,
            labels = labels,
            tags = _TAGS,
            visibility = visibility,
            **(base | kwargs)
        )
    oci_image_index(
        name = name,
        images = images.values(),
        tags = _TAGS,
        visibility = visibility,
    )

    documents(
        name = name + "_documents",
        layout = name,
        tags = _TAGS,
    )

    # Not oci_push of rules_oci, which compares neither with the digests on record
    # nor with the digests of existing tags.
    command(
        name = "push_" + name,
        args = ["push"] + select({
            "//tools/oci:no_cas": ["-layout=$(rootpath %s)" % name],
            "//conditions:default": ["-layout=$(rootpath %s_documents)" % name, "-cas=$(CAS)"],
        }) + [
            "-repository=" + repository,
            "-tag=" + tag,
        ] + (["-content-tag=" + content_tag] if content_tag else []) + ([
            "-image=" + catalog_name,
            "-digests=$(rootpath //images:digests.json)",
        ] if catalog_name else []),
        data = select({
            "//tools/oci:no_cas": [name],
            "//conditions:default": [name + "_documents"],
        }) + (["//images:digests.json"] if catalog_name else []),
        program = "//tools/oci",
        tags = _TAGS,
        toolchains = ["//tools/oci:cas"],
        visibility = visibility,
    )
    if catalog_name:
        tests = {name: [tar for tars in layers.values() for tar in tars]}
        tests.update({images[platform.split("/")[1]]: tars for platform, tars in layers.items()})
        for layout, tars in tests.items():
            command_test(
                name = "test_" + layout,
                size = "medium",
                args = [
                    "verify",
                    catalog_name,
                    "--layout=$(rootpath %s)" % layout,
                    "--digests=$(rootpath //images:digests.json)",
                    # The runfiles of layers of packages, in their repositories.
                    "--packages=..",
                ] + ["--base=%s=$(rootpath %s)" % base for base in (bases or {}).items()],
                data = [
                    layout,
                    "//images:digests.json",
                ] + (bases or {}).values() + {tar: None for tar in tars}.keys(),
                program = "//tools/hk",
                tags = _TAGS,
                visibility = visibility,
            )

    # A container engine loads the image of one platform, that of the target.
    oci_load(
        name = "load_" + name,
        image = select({_CPUS[arch]: label for arch, label in images.items()}),
        repo_tags = ["%s:%s" % (repository, tag)],
        tags = _TAGS,
        visibility = visibility,
    )
    image_archive(
        name = "save_" + name,
        images = {"%s:%s" % (repository, tag): name},
        visibility = visibility,
    )

def _add_pins(name, platform, tars, path, compression):
    """Defines the layer with the pins of the files in other layers.

    Args:
        name: the name of the image.
        platform: the platform of the layers.
        tars: list of labels of layers.
        path: the path of the file.
        compression: gzip or zstd.

    Returns:
        the list with the new layer at the end.
    """
    target = "pins_%s_%s" % (name, platform.split("/")[1])
    pins_layer(
        name = target,
        compression = compression,
        layers = tars,
        path = path,
        tags = _TAGS,
        visibility = _VISIBILITY,
    )
    return tars + [":" + target]

def image_aliases(name, image, architectures):
    """Defines public aliases of the targets of an image.

    Args:
        name: the alias of the index. The others are push_NAME, load_NAME,
            save_NAME, test_NAME, NAME_ARCH and test_NAME_ARCH.
        image: the label of the index.
        architectures: list of the architectures of the image.
    """
    package, _, target = image.rpartition(":")
    names = {name: target}
    names.update({prefix + name: prefix + target for prefix in ["push_", "load_", "save_"]})
    names.update({"%s_%s" % (name, arch): "%s_%s" % (target, arch) for arch in architectures})
    for alias, actual in names.items():
        native.alias(
            name = alias,
            actual = "%s:%s" % (package, actual),
            tags = _TAGS,
            # For image_archive in any package.
            visibility = ["//visibility:public"],
        )

    # Test suites, because Bazel does not run aliases of tests.
    for suffix in [""] + ["_" + arch for arch in architectures]:
        native.test_suite(
            name = "test_" + name + suffix,
            tags = _TAGS,
            tests = ["%s:test_%s%s" % (package, target, suffix)],
        )
