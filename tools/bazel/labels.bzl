"""Labels of pinned files, Debian packages and base images in the hub `upstream`.

The module extension makes the hub's targets by these functions, and BUILD files
refer to them by the same functions.
"""

def file_target(key):
    """Names the target of a pinned file.

    Args:
        key: the pin's key, SOURCE/VERSION/OS/ARCH/FILE, SOURCE/OS/ARCH/FILE for
            a program of this repository, or debian/SET/OS/ARCH/NAME for a Debian
            package; the argument of `hk fetch`.

    Returns:
        the target's package and name.
    """
    parts = key.split("/")
    source, version, os, arch, file = parts if len(parts) == 5 else [parts[0], ""] + parts[1:]
    package = "/".join([part for part in [source, version.replace(".", "_")] if part])
    return package, "_".join([file, os, arch])

def base_target(image, platform):
    """Names the target of a pinned base image.

    Images with the same digest share a target, even if their registries differ.

    Args:
        image: REGISTRY/REPOSITORY@sha256:DIGEST.
        platform: OS/ARCH.

    Returns:
        the target's package and name.
    """
    repository, _, digest = image.partition("@sha256:")
    return "bases", "_".join([repository.rpartition("/")[2], digest, platform.replace("/", "_")])

def file_label(key):
    """Returns the label of a pinned file; see `file_target`."""
    return "@upstream//%s:%s" % file_target(key)

def base_label(image, platform):
    """Returns the label of a pinned base image; see `base_target`."""
    return "@upstream//%s:%s" % base_target(image, platform)
