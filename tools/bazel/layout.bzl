"""The rule `base`, whose targets are values of the attribute `base` of oci_image."""

def _base_impl(ctx):
    index = [file for file in ctx.files.srcs if file.basename == "index.json"]
    if len(index) != 1:
        fail("base %s: srcs: want the files of one OCI layout, got %d index.json" % (ctx.label, len(index)))
    out = ctx.actions.declare_directory(ctx.label.name)
    args = ctx.actions.args()
    args.add("base")
    args.add("-o", out.path)
    args.add(index[0].dirname)
    ctx.actions.run(
        executable = ctx.executable._oci,
        arguments = [args],
        inputs = ctx.files.srcs,
        outputs = [out],
        mnemonic = "OCIBase",
        progress_message = "Writing base image %{label}",
    )
    return [DefaultInfo(files = depset([out]))]

base = rule(
    implementation = _base_impl,
    attrs = {
        "srcs": attr.label_list(mandatory = True, allow_files = True, doc = "The files of an OCI layout with one image."),
        "_oci": attr.label(default = "//tools/oci", executable = True, cfg = "exec"),
    },
    doc = "Writes an OCI layout to one directory.",
)
