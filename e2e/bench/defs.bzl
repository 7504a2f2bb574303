"""Indexes of two binaries for two architectures, made by the rules of this
repository and, for comparison, by genrules."""

load("@rules_oci//oci:defs.bzl", "oci_image", "oci_image_index")
load("//images:defs.bzl", "image", "layer")
load("//tools/bazel:labels.bzl", "file_label")

# Typical command of a genrule that writes a layer.
_PACK = "tar --dereference --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=0755 " + \
        "--transform='s,.*,{path},' -cPf - $(location {src}) | gzip -n -6 > $(location {out})"

_TAGS = ["manual"]
_ARCHITECTURES = ["amd64", "arm64"]

def bench_targets(name, version, binaries):
    """Declares the indexes `gzip` and `zstd`, and baselines to compare them with.

    One genrule makes all layers of `baseline`; in `baseline_parallel` each layer has
    its own genrule, so that they run in parallel. `baseline_layers` and
    `baseline_parallel_layers` are the layers without an index.

    Args:
        name: unused.
        version: Kubernetes version.
        binaries: dict of names to dicts of architectures to sha256, as in
            versions/lock.json.
    """
    together = []
    for arch in _ARCHITECTURES:
        for binary in binaries:
            name = "%s_%s" % (binary, arch)
            src = file_label("kubernetes/%s/linux/%s/%s" % (version, arch, binary))
            out = "baseline_parallel_%s.tar.gz" % name
            native.genrule(
                name = "baseline_parallel_" + name,
                srcs = [src],
                outs = [out],
                cmd = _PACK.format(path = binary, src = src, out = out),
                tags = _TAGS,
            )
            together.append(struct(src = src, out = "baseline_%s.tar.gz" % name, path = binary))
    native.genrule(
        name = "baseline_layers",
        srcs = [t.src for t in together],
        outs = [t.out for t in together],
        cmd = " && ".join([_PACK.format(path = t.path, src = t.src, out = t.out) for t in together]),
        tags = _TAGS,
    )
    for compression in ["gzip", "zstd"]:
        for arch in _ARCHITECTURES:
            for binary in binaries:
                layer(
                    name = "%s_%s_%s" % (binary, arch, compression),
                    pin = "kubernetes/%s/linux/%s/%s" % (version, arch, binary),
                    compression = compression,
                    path = "/" + binary,
                    sha256 = binaries[binary][arch],
                )
        image(
            name = compression,
            entrypoint = ["/" + binaries.keys()[0]],
            layers = {
                "linux/" + arch: ["%s_%s_%s" % (binary, arch, compression) for binary in binaries]
                for arch in _ARCHITECTURES
            },
            repository = "registry.invalid/bench",
            tag = compression,
        )
    native.filegroup(
        name = "baseline_parallel_layers",
        srcs = ["baseline_parallel_%s_%s" % (binary, arch) for arch in _ARCHITECTURES for binary in binaries],
        tags = _TAGS,
    )
    for baseline in ["baseline", "baseline_parallel"]:
        for arch in _ARCHITECTURES:
            oci_image(
                name = "%s_%s" % (baseline, arch),
                architecture = arch,
                entrypoint = ["/" + binaries.keys()[0]],
                os = "linux",
                tags = _TAGS,
                tars = ["%s_%s_%s.tar.gz" % (baseline, binary, arch) for binary in binaries],
            )
        oci_image_index(
            name = baseline,
            images = ["%s_%s" % (baseline, arch) for arch in _ARCHITECTURES],
            tags = _TAGS,
        )
