"""Archives of several images, which container engines load."""

_EXTENSIONS = {
    "lz4": ".tar.lz4",
    "none": ".tar",
    "zstd": ".tar.zst",
}

def _archive_impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name + _EXTENSIONS[ctx.attr.compression])
    args = ctx.actions.args()
    args.add("archive")
    args.add("-o", out)
    args.add("-compression", ctx.attr.compression)
    args.add_all(ctx.attr.platforms, before_each = "-platform")
    inputs = []
    for image, names in ctx.attr.images.items():
        layouts = image[DefaultInfo].files.to_list()
        if len(layouts) != 1 or not layouts[0].is_directory:
            fail("image_archive %s: images: %s: want an image or an index, a single directory" % (ctx.label, image.label))
        inputs.append(image[DefaultInfo].files)

        # The layout of an image has symlinks to its layers, which are its runfiles.
        inputs.append(image[DefaultInfo].default_runfiles.files)
        for name in names.split("\n"):
            args.add_all(layouts, expand_directories = False, format_each = name + "=%s")
    ctx.actions.run(
        executable = ctx.executable._oci,
        arguments = [args],
        inputs = depset(transitive = inputs),
        outputs = [out],
        mnemonic = "SaveImages",
        progress_message = "Saving images %{label}",
    )
    return [DefaultInfo(files = depset([out]))]

archive_rule = rule(
    implementation = _archive_impl,
    attrs = {
        "compression": attr.string(default = "none", values = _EXTENSIONS.keys(), doc = "Compression of the archive."),
        "images": attr.label_keyed_string_dict(mandatory = True, doc = "Images or indexes with their names, one per line."),
        "platforms": attr.string_list(doc = "Platforms to save, the one for docker first. Default: all."),
        "_oci": attr.label(default = "//tools/oci", executable = True, cfg = "exec"),
    },
    doc = "Saves images to one archive.",
)

def image_archive(name, images, platforms = None, compression = None, tags = ["manual"], **kwargs):
    """Saves several images to one archive; see docs/saved-images.md.

    The output is `NAME.tar`, `NAME.tar.zst` or `NAME.tar.lz4`.

    Args:
        name: name of the target.
        images: dict of names, `registry.example/repository:tag`, to labels of
            images such as `//images:v1_36_0`. The order does not matter.
        platforms: the platforms to save, such as `linux/amd64`; docker loads the
            first one. Default: all.
        compression: `none`, `zstd` or `lz4`.
        tags: the default `manual` keeps wildcards from fetching every binary of the
            images.
        **kwargs: common attributes of rules.
    """
    names = {}
    for image_name, image in images.items():
        if "\n" in image_name or "=" in image_name:
            fail("image_archive %s: images: %r: want a name like registry.example/repository:tag" % (name, image_name))
        label = native.package_relative_label(image)
        names[label] = names.get(label, []) + [image_name]
    archive_rule(
        name = name,
        compression = compression,
        images = {label: "\n".join(image_names) for label, image_names in names.items()},
        platforms = platforms,
        tags = tags,
        **kwargs
    )
