"""The rule for the layer with the pins of an image's files."""

load(":layer.bzl", "EXTENSIONS", "PinInfo", "run_layer")

def _pins_layer_impl(ctx):
    args = ctx.actions.args()
    for layer in ctx.attr.layers:
        if PinInfo in layer:
            args.add("-pin", "%s=%s" % (layer[PinInfo].key, layer[PinInfo].sha256))
    args.add("-path", ctx.attr.path)
    args.add("-mode", "0644")
    return run_layer(ctx, args, [])

pins_layer = rule(
    implementation = _pins_layer_impl,
    attrs = {
        "compression": attr.string(default = "gzip", values = EXTENSIONS.keys(), doc = "Compression of the layer."),
        "layers": attr.label_list(mandatory = True, doc = "The other layers of the image. They are not built for this one."),
        "path": attr.string(mandatory = True, doc = "Absolute path of the file in the image."),
        "_layer": attr.label(default = "//tools/layer", executable = True, cfg = "exec"),
    },
    doc = """Writes a layer with one file: the pins of the files in other layers, as in versions/lock.json.

The output group `descriptor` is a JSON file with media type, digest, diffID and size.""",
)
