"""The subset of oci_image, oci_image_index and oci_load that images/ uses."""

# Target of the root module. It shares its packages with the builder without Bazel.
_OCI = "@@//tools/oci"

def _lines(ctx, args, inputs, flag, lines):
    """Passes a list to the tool in a file: arguments cannot contain every character."""
    if not lines:
        return
    file = ctx.actions.declare_file("%s.%s.txt" % (ctx.label.name, flag))
    ctx.actions.write(file, "\n".join(lines))
    args.add("-" + flag, file)
    inputs.append(file)

def _pairs(dictionary):
    return ["%s=%s" % pair for pair in dictionary.items()]

def _oci_image_impl(ctx):
    if bool(ctx.attr.base) == bool(ctx.attr.os or ctx.attr.architecture) or bool(ctx.attr.os) != bool(ctx.attr.architecture):
        fail("%s: want either base, or os and architecture" % ctx.label)
    out = ctx.actions.declare_directory(ctx.label.name)
    inputs = []
    layers = []
    args = ctx.actions.args()
    args.add("image")
    args.add("-o", out.path)
    runfiles = ctx.runfiles()
    if ctx.attr.base:
        args.add("-base", ctx.file.base.path)

        # The layout has symlinks to the base's blobs, which may be symlinks as well.
        runfiles = ctx.runfiles(files = [ctx.file.base]).merge(ctx.attr.base[DefaultInfo].default_runfiles)
    else:
        args.add("-os", ctx.attr.os)
        args.add("-arch", ctx.attr.architecture)
    for tar in ctx.attr.tars:
        if OutputGroupInfo not in tar or not hasattr(tar[OutputGroupInfo], "descriptor"):
            fail("%s: tars: %s: want a target of the rule layer of //images:defs.bzl" % (ctx.label, tar.label))
        layer = tar[DefaultInfo].files.to_list()[0]
        descriptor = tar[OutputGroupInfo].descriptor.to_list()[0]
        args.add_joined("-layer", [layer, descriptor], join_with = ",")
        args.add("-label", layer.owner)
        layers.append(layer)
        inputs.append(descriptor)
    _lines(ctx, args, inputs, "entrypoint", ctx.attr.entrypoint)
    _lines(ctx, args, inputs, "cmd", ctx.attr.cmd)
    _lines(ctx, args, inputs, "env", _pairs(ctx.attr.env))
    _lines(ctx, args, inputs, "labels", _pairs(ctx.attr.labels))
    _lines(ctx, args, inputs, "annotations", _pairs(ctx.attr.annotations))
    if ctx.attr.user:
        args.add("-user", ctx.attr.user)
    if ctx.attr.workdir:
        args.add("-workdir", ctx.attr.workdir)
    ctx.actions.run(
        executable = ctx.executable._oci,
        arguments = [args],
        inputs = depset(inputs + layers, transitive = [runfiles.files]),
        outputs = [out],
        mnemonic = "OCIImage",
        progress_message = "OCI Image %{label}",
    )

    # The layout has symlinks to the layers, so its consumers need them in runfiles.
    return [DefaultInfo(files = depset([out]), runfiles = runfiles.merge(ctx.runfiles(files = layers)))]

oci_image = rule(
    implementation = _oci_image_impl,
    attrs = {
        "annotations": attr.string_dict(doc = "Annotations of the manifest."),
        "architecture": attr.string(doc = "CPU architecture, only without base."),
        "base": attr.label(allow_single_file = True, doc = "Layout of the base image."),
        "cmd": attr.string_list(doc = "Default arguments."),
        "entrypoint": attr.string_list(doc = "Entrypoint of containers."),
        "env": attr.string_dict(doc = "Environment variables."),
        "labels": attr.string_dict(doc = "Labels of the config."),
        "os": attr.string(doc = "Operating system, only without base."),
        "tars": attr.label_list(doc = "Layers, lowest first."),
        "user": attr.string(doc = "User name or UID."),
        "workdir": attr.string(doc = "Working directory."),
        "_oci": attr.label(default = _OCI, executable = True, cfg = "exec"),
    },
    doc = "Single-platform image as an OCI layout.",
)

def _oci_image_index_impl(ctx):
    out = ctx.actions.declare_directory(ctx.label.name)
    args = ctx.actions.args()
    args.add("index")
    args.add("-o", out.path)
    args.add_all(ctx.files.images, expand_directories = False)
    ctx.actions.run(
        executable = ctx.executable._oci,
        arguments = [args],
        inputs = depset(ctx.files.images, transitive = [image[DefaultInfo].default_runfiles.files for image in ctx.attr.images]),
        outputs = [out],
        mnemonic = "OCIIndex",
        progress_message = "OCI Index %{label}",
    )
    return [DefaultInfo(files = depset([out]))]

oci_image_index = rule(
    implementation = _oci_image_index_impl,
    attrs = {
        "images": attr.label_list(mandatory = True, doc = "Labels of oci_image targets, in order."),
        "_oci": attr.label(default = _OCI, executable = True, cfg = "exec"),
    },
    doc = "Index of images as an OCI layout with copies of all blobs.",
)

# Runfiles are in RUNFILES_DIR, or beside the launcher as with `bazel run`.
_LAUNCHER = """#!/bin/sh
cd "${RUNFILES_DIR:-$0.runfiles}/%s" && exec ./%s load -layout ./%s -tags ./%s "$@"
"""

def _oci_load_impl(ctx):
    tags_file = ctx.actions.declare_file(ctx.label.name + ".tags.txt")
    ctx.actions.write(tags_file, "\n".join(ctx.attr.repo_tags))
    launcher = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.write(
        launcher,
        _LAUNCHER % (
            ctx.workspace_name,
            ctx.executable._oci.short_path,
            ctx.file.image.short_path,
            tags_file.short_path,
        ),
        is_executable = True,
    )
    runfiles = ctx.runfiles(files = [ctx.file.image, tags_file])
    for dep in [ctx.attr.image, ctx.attr._oci]:
        runfiles = runfiles.merge(dep[DefaultInfo].default_runfiles)
    return [DefaultInfo(executable = launcher, runfiles = runfiles)]

oci_load = rule(
    implementation = _oci_load_impl,
    attrs = {
        "image": attr.label(mandatory = True, allow_single_file = True, doc = "Label of an oci_image or oci_image_index."),
        "repo_tags": attr.string_list(mandatory = True, doc = "Names for the loaded image, REPOSITORY:TAG."),
        # Built once, for this machine, also if the image is for another platform.
        "_oci": attr.label(default = _OCI, executable = True, cfg = "exec"),
    },
    executable = True,
    doc = "Loads an image into docker, podman or nerdctl.",
)
