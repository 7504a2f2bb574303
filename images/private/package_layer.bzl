"""The rule for layers of Debian packages."""

load("//tools/bazel:labels.bzl", "file_label")
load(":layer.bzl", "EXTENSIONS", "run_layer")

def _package_layer_impl(ctx):
    args = ctx.actions.args()
    args.add("-packages", ctx.file.spec)
    args.add_all(ctx.files.debs, before_each = "-deb")
    return run_layer(ctx, args, [ctx.file.spec] + ctx.files.debs, runfiles = ctx.files.debs)

package_layer_rule = rule(
    implementation = _package_layer_impl,
    attrs = {
        "compression": attr.string(default = "gzip", values = EXTENSIONS.keys(), doc = "Compression of the layer."),
        "debs": attr.label_list(mandatory = True, allow_files = True, doc = "The packages, in the order of `spec`. The action verifies the sha256 that `spec` has."),
        "spec": attr.label(mandatory = True, allow_single_file = True, doc = "The JSON of a PackageLayer of package versions."),
        "_layer": attr.label(default = "//tools/layer", executable = True, cfg = "exec"),
    },
    doc = """Writes a layer of Debian packages, without executing anything of them.

The output group `descriptor` is a JSON file with media type, digest, diffID and size.""",
)

def package_layer(name, spec, pins, compression = "gzip"):
    """Defines the layer of a set of Debian packages.

    Args:
        name: must not change: rules_oci writes the label into the config of every
            image that has the layer.
        spec: the label of the JSON file with the layer.
        pins: the keys of the packages in versions/lock.json, in the order of
            `spec`: those of the sets below come first.
        compression: gzip or zstd.
    """
    package_layer_rule(
        name = name,
        compression = compression,
        debs = [file_label(key) for key in pins],
        spec = spec,
        # Wildcards must not fetch the packages.
        tags = ["manual"],
        visibility = ["//visibility:public"],
    )
