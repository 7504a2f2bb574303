"""The rule for layers of images: one file, or a group of symlinks."""

load("//tools/bazel:labels.bzl", "file_label")

PinInfo = provider(
    doc = "The pin of the file of a layer.",
    fields = {
        "key": "The key of the file in versions/lock.json.",
        "sha256": "The sha256 of the file.",
    },
)

EXTENSIONS = {"gzip": ".tar.gz", "zstd": ".tar.zst"}

def run_layer(ctx, args, inputs, runfiles = []):
    """Runs tools/layer and returns the providers of the rule.

    Args:
        ctx: the context of a rule with the attributes `compression` and `_layer`.
        args: the arguments that say what the layer contains.
        inputs: list of the files that the arguments name.
        runfiles: list of the files that a test of the layer needs.

    Returns:
        the providers.
    """
    out = ctx.actions.declare_file(ctx.label.name + EXTENSIONS[ctx.attr.compression])
    descriptor = ctx.actions.declare_file(ctx.label.name + ".descriptor.json")
    args.add("-compression", ctx.attr.compression)
    args.add("-o", out)
    args.add("-descriptor", descriptor)
    ctx.actions.run(
        executable = ctx.executable._layer,
        arguments = [args],
        inputs = inputs,
        outputs = [out, descriptor],
        mnemonic = "Layer",
        progress_message = "Writing layer %{label}",
    )
    return [
        DefaultInfo(files = depset([out]), runfiles = ctx.runfiles(runfiles)),
        OutputGroupInfo(descriptor = depset([descriptor])),
    ]

def _layer_impl(ctx):
    if (ctx.file.src == None) == (not ctx.attr.symlinks):
        fail("layer %s: want either src and path, or symlinks" % ctx.label)
    if ctx.file.src and not ctx.attr.path.startswith("/"):
        fail("layer %s: path %r: want an absolute path" % (ctx.label, ctx.attr.path))
    args = ctx.actions.args()
    if ctx.file.src:
        args.add("-src", ctx.file.src)
        args.add("-path", ctx.attr.path)
        args.add("-mode", ctx.attr.mode)
        if ctx.attr.sha256:
            args.add("-sha256", ctx.attr.sha256)
    for path, target in ctx.attr.symlinks.items():
        args.add("-symlink", "%s=%s" % (path, target))
    providers = run_layer(ctx, args, ctx.files.src)
    if ctx.attr.pin:
        providers.append(PinInfo(key = ctx.attr.pin, sha256 = ctx.attr.sha256))
    return providers

layer_rule = rule(
    implementation = _layer_impl,
    attrs = {
        "compression": attr.string(default = "gzip", values = EXTENSIONS.keys(), doc = "Compression of the layer."),
        "mode": attr.string(default = "0755", doc = "Permission bits of the file, four octal digits."),
        "path": attr.string(doc = "Absolute path of the file in the image."),
        "pin": attr.string(doc = "The key of `src` in versions/lock.json."),
        "sha256": attr.string(doc = "The sha256 that `src` must have. The action verifies it."),
        "src": attr.label(allow_single_file = True, doc = "The file."),
        "symlinks": attr.string_dict(doc = "Symlinks in place of a file: absolute paths to targets."),
        "_layer": attr.label(default = "//tools/layer", executable = True, cfg = "exec"),
    },
    doc = """Writes one layer, which depends only on path, mode and bytes of the file.

The output group `descriptor` is a JSON file with media type, digest, diffID and size.""",
)

def layer(name, pin = None, **kwargs):
    """Defines one layer of an image; see `layer_rule` for the attributes.

    Args:
        name: must not change: rules_oci writes the label into the config of every
            image that has the layer.
        pin: the key of a file in versions/lock.json, which is `src`. It needs
            `sha256`, because Bazel does not notice a change of a fetched file.
        **kwargs: the rule's attributes.
    """
    if pin:
        if not kwargs.get("sha256"):
            fail("layer %s: pin %r: want the sha256 of the file in versions/lock.json" % (name, pin))
        kwargs["src"] = file_label(pin)
    layer_rule(
        name = name,
        pin = pin,
        # Wildcards must not fetch the binaries of all versions.
        tags = ["manual"],
        visibility = ["//visibility:public"],
        **kwargs
    )
