"""Images: one a platform, an index of them, and what is done with it."""

load("@rules_oci//oci:defs.bzl", "oci_image", "oci_image_index", "oci_load", "oci_push")
load("//tools/bazel:labels.bzl", "base_label")
load(":command.bzl", "command", "command_test")
load(":saved.bzl", "saved")

# A wildcard would fetch every binary of every version: images are asked for by
# name.
_TAGS = ["manual"]
_VISIBILITY = ["//images:__subpackages__"]

_CPUS = {
    "amd64": "@platforms//cpu:x86_64",
    "arm64": "@platforms//cpu:aarch64",
}

def image(name, layers, repository, tag, entrypoint, bases = None, pinned_bases = None, catalog_name = None, content_tag = None, labels = None, visibility = _VISIBILITY, **kwargs):
    """A multi-architecture image on scratch, or on a base image.

    Makes `NAME`, the index, and beside it `NAME_amd64`, `NAME_arm64`,
    `push_NAME`, `load_NAME` and `save_NAME`, and of an image of versions.yaml
    `test_NAME`, which looks into it.

    Args:
        name: the image's name.
        layers: platform to labels of its layers, in order; the platforms are
            the manifests of the index, in order.
        repository: where to push, unless --repository says otherwise.
        tag: the tag to push.
        entrypoint: a list.
        bases: platform to the label of its base image; all platforms or none.
        pinned_bases: platform to the base image in versions/lock.json,
            REGISTRY/REPOSITORY@sha256:DIGEST, in place of `bases`.
        catalog_name: the image's name in versions.yaml, FLAVOR:TAG.
        content_tag: a further tag to push, made of what is in the image: a
            push does nothing where the repository has it already.
        labels: a dict.
        visibility: of all targets.
        **kwargs: further attributes of oci_image: cmd, env, user, workdir.
    """
    if pinned_bases:
        bases = {platform: base_label(base, platform) for platform, base in pinned_bases.items()}
    images = {}
    for platform, tars in layers.items():
        os, arch = platform.split("/")
        if arch not in _CPUS:
            fail("image %s: layers: platform %r: want the architecture to be one of %s" % (name, platform, _CPUS.keys()))
        images[arch] = "%s_%s" % (name, arch)

        # The platform of an image with a base is the base's.
        on = {"base": bases[platform]} if bases else {"architecture": arch, "os": os}
        oci_image(
            name = images[arch],
            tars = tars,
            entrypoint = entrypoint,
            labels = labels,
            tags = _TAGS,
            visibility = visibility,
            **(on | kwargs)
        )
    oci_image_index(
        name = name,
        images = images.values(),
        tags = _TAGS,
        visibility = visibility,
    )
    if content_tag:
        command(
            name = "push_" + name,
            args = [
                "push",
                "-layout=$(rootpath %s)" % name,
                "-repository=" + repository,
                "-tag=" + tag,
                "-content=" + content_tag,
            ],
            data = [name],
            program = "//tools/oci",
            tags = _TAGS,
            visibility = visibility,
        )
    else:
        oci_push(
            name = "push_" + name,
            image = name,
            repository = repository,
            remote_tags = [tag],
            tags = _TAGS,
            visibility = visibility,
        )
    if catalog_name:
        for test, layout in ({name: name} | {label: label for label in images.values()}).items():
            command_test(
                name = "test_" + test,
                size = "medium",
                args = [
                    "verify",
                    catalog_name,
                    "--layout=$(rootpath %s)" % layout,
                    "--digests=$(rootpath //images:digests.json)",
                ] + ["--base=%s=$(rootpath %s)" % base for base in (bases or {}).items()],
                data = [
                    layout,
                    "//images:digests.json",
                ] + (bases or {}).values(),
                program = "//tools/hk",
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
    saved(
        name = "save_" + name,
        images = {"%s:%s" % (repository, tag): name},
        visibility = visibility,
    )

def published(name, image, architectures):
    """The names under which people ask for an image.

    Args:
        name: of the index; push_NAME, load_NAME, save_NAME, test_NAME, NAME_ARCH
            and test_NAME_ARCH go with it.
        image: label of what `image` made.
        architectures: of the image.
    """
    package, _, target = image.rpartition(":")
    names = {name: target}
    names.update({word + name: word + target for word in ["push_", "load_", "save_"]})
    names.update({"%s_%s" % (name, arch): "%s_%s" % (target, arch) for arch in architectures})
    for alias, actual in names.items():
        native.alias(
            name = alias,
            actual = "%s:%s" % (package, actual),
            tags = _TAGS,
            # People save images in archives of their own packages.
            visibility = ["//visibility:public"],
        )

    # Not aliases: Bazel builds the alias of a test, and does not run it.
    for suffix in [""] + ["_" + arch for arch in architectures]:
        native.test_suite(
            name = "test_" + name + suffix,
            tags = _TAGS,
            tests = ["%s:test_%s%s" % (package, target, suffix)],
        )
