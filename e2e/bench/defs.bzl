"""What is measured: an index of two binaries for two architectures, made by the
rules of this repository, and as others make it."""

load("@rules_oci//oci:defs.bzl", "oci_image", "oci_image_index")
load("//images:defs.bzl", "image", "layer")

_RunInfo = provider(doc = "The number of a run.", fields = {"run": "A string."})

def _run_impl(ctx):
    return [_RunInfo(run = ctx.build_setting_value)]

run = rule(
    implementation = _run_impl,
    build_setting = config.string(flag = True),
    doc = "Names a run, so that it finds nothing that another one has built.",
)

def _fresh_impl(ctx):
    out = ctx.actions.declare_file("%s/%s" % (ctx.label.name, ctx.attr._run[_RunInfo].run))
    ctx.actions.symlink(output = out, target_file = ctx.file.src)
    return [DefaultInfo(files = depset([out]))]

fresh = rule(
    implementation = _fresh_impl,
    attrs = {
        "src": attr.label(mandatory = True, allow_single_file = True, doc = "A file."),
        "_run": attr.label(default = ":run"),
    },
    doc = "A file at a path that is the run's own.",
)

_TAGS = ["manual"]
_ARCHITECTURES = ["amd64", "arm64"]

def subjects(name, version, binaries):
    """The targets `gzip`, `zstd`, `baseline` and `baseline_layers`.

    Args:
        name: not used.
        version: of Kubernetes, as labels have it.
        binaries: names of files.
    """
    for arch in _ARCHITECTURES:
        for binary in binaries:
            name = "%s_%s" % (binary, arch)
            fresh(
                name = name,
                src = "@upstream//kubernetes/%s:%s_linux_%s" % (version, binary, arch),
                tags = _TAGS,
            )
            native.genrule(
                name = "baseline_" + name,
                srcs = [name],
                outs = ["baseline_%s.tar.gz" % name],
                cmd = "tar --dereference --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=0755 " +
                      "--transform='s,.*,%s,' -cPf - $< | gzip -n -6 > $@" % binary,
                tags = _TAGS,
            )
    for compression in ["gzip", "zstd"]:
        for arch in _ARCHITECTURES:
            for binary in binaries:
                layer(
                    name = "%s_%s_%s" % (binary, arch, compression),
                    src = "%s_%s" % (binary, arch),
                    compression = compression,
                    path = "/" + binary,
                )
        image(
            name = compression,
            entrypoint = ["/" + binaries[0]],
            layers = {
                "linux/" + arch: ["%s_%s_%s" % (binary, arch, compression) for binary in binaries]
                for arch in _ARCHITECTURES
            },
            repository = "registry.invalid/bench",
            tag = compression,
        )
    native.filegroup(
        name = "baseline_layers",
        srcs = ["baseline_%s_%s" % (binary, arch) for arch in _ARCHITECTURES for binary in binaries],
        tags = _TAGS,
    )
    for arch in _ARCHITECTURES:
        oci_image(
            name = "baseline_" + arch,
            architecture = arch,
            entrypoint = ["/" + binaries[0]],
            os = "linux",
            tags = _TAGS,
            tars = ["baseline_%s_%s" % (binary, arch) for binary in binaries],
        )
    oci_image_index(
        name = "baseline",
        images = ["baseline_" + arch for arch in _ARCHITECTURES],
        tags = _TAGS,
    )
