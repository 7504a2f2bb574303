"""Archives of images: one file that container engines load."""

_EXTENSIONS = {
    "lz4": ".tar.lz4",
    "none": ".tar",
    "zstd": ".tar.zst",
}

def _saved_impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name + _EXTENSIONS[ctx.attr.compression])
    args = ctx.actions.args()
    args.add("-o", out)
    args.add("-compression", ctx.attr.compression)
    args.add_all(ctx.attr.platforms, before_each = "-platform")
    inputs = []
    for image, names in ctx.attr.images.items():
        layouts = image[DefaultInfo].files.to_list()
        if len(layouts) != 1 or not layouts[0].is_directory:
            fail("saved %s: images: %s: want an image or an index, which is one folder" % (ctx.label, image.label))
        inputs.append(image[DefaultInfo].files)

        # An image's layout has links to its layers, and they are its runfiles.
        inputs.append(image[DefaultInfo].default_runfiles.files)
        for name in names.split("\n"):
            args.add_all(layouts, expand_directories = False, format_each = name + "=%s")
    ctx.actions.run(
        executable = ctx.executable._pack,
        arguments = [args],
        inputs = depset(transitive = inputs),
        outputs = [out],
        mnemonic = "SaveImages",
        progress_message = "Saving images %{label}",
    )
    return [DefaultInfo(files = depset([out]))]

saved_rule = rule(
    implementation = _saved_impl,
    attrs = {
        "compression": attr.string(default = "none", values = _EXTENSIONS.keys(), doc = "How the archive is compressed."),
        "images": attr.label_keyed_string_dict(mandatory = True, doc = "Images or indexes, to their names, a name a line."),
        "platforms": attr.string_list(doc = "The platforms to save, the one for docker first; none for all."),
        "_pack": attr.label(default = "//tools/save/pack", executable = True, cfg = "exec"),
    },
    doc = "One archive of several images.",
)

def saved(name, images, platforms = None, compression = None, tags = ["manual"], **kwargs):
    """One archive of several images; see docs/saved-images.md.

    Makes `NAME.tar`, `NAME.tar.zst` or `NAME.tar.lz4`.

    Args:
        name: the archive's name.
        images: a dict of names, `registry.example/repository:tag`, to labels of
            images, like `//images:v1_36_0`. The order has no influence.
        platforms: leave out all platforms but these, like `linux/amd64`. Docker
            gets the first one.
        compression: `none`, `zstd` or `lz4`.
        tags: a wildcard would fetch every binary of the images, unless it is
            `manual`.
        **kwargs: common attributes of rules.
    """
    names = {}
    for image_name, image in images.items():
        if "\n" in image_name or "=" in image_name:
            fail("saved %s: images: %r: want a name like registry.example/repository:tag" % (name, image_name))
        label = native.package_relative_label(image)
        names[label] = names.get(label, []) + [image_name]
    saved_rule(
        name = name,
        compression = compression,
        images = {label: "\n".join(image_names) for label, image_names in names.items()},
        platforms = platforms,
        tags = tags,
        **kwargs
    )
