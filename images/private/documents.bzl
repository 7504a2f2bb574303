"""The documents of a layout, for pushes that need no layers."""

def _documents_impl(ctx):
    out = ctx.actions.declare_directory(ctx.label.name)
    args = ctx.actions.args()
    args.add("documents")
    args.add("-o", out.path)
    args.add_all([ctx.file.layout], expand_directories = False)
    ctx.actions.run(
        executable = ctx.executable._oci,
        arguments = [args],
        inputs = [ctx.file.layout],
        outputs = [out],
        mnemonic = "OCIDocuments",
        progress_message = "Copying index, manifests and configs of %{label}",
    )
    return [DefaultInfo(files = depset([out]))]

documents = rule(
    implementation = _documents_impl,
    attrs = {
        "layout": attr.label(mandatory = True, allow_single_file = True, doc = "The layout of an index."),
        "_oci": attr.label(default = "//tools/oci", executable = True, cfg = "exec"),
    },
    doc = "Copies a layout without its layers.",
)
