"""A spoke: one repository with one pinned file."""

load("@go_host_compatible_sdk_label//:defs.bzl", "HOST_COMPATIBLE_SDK")

# A rebuild from source takes minutes a file, and those of one version wait for
# one another. In seconds.
_TIMEOUT = 3 * 60 * 60

def _pinned_file_impl(rctx):
    rctx.file("BUILD.bazel", "exports_files([%s])\n" % repr(rctx.attr.file))
    rctx.report_progress("getting " + rctx.attr.key)

    # All of the work, and every check, is tools/fetch's: the store by sha256,
    # then upstream, then, where HYPERKUBE_REBUILD=1, the source. It runs on the
    # Go that Bazel has. Its messages are shown as they come.
    go = rctx.path(HOST_COMPATIBLE_SDK).dirname.get_child("bin").get_child("go")
    result = rctx.execute(
        [go, "run", "./tools/fetch", "-file", rctx.attr.key, "-o", str(rctx.path(rctx.attr.file))],
        working_directory = str(rctx.workspace_root),
        environment = {
            "GOWORK": "off",
            "PATH": "%s:%s" % (go.dirname, rctx.os.environ.get("PATH", "")),
        },
        timeout = _TIMEOUT,
        quiet = False,
    )
    if result.return_code:
        fail("%s did not come to the sha256 that versions/lock.json has, %s; the lines above say why." % (rctx.attr.key, rctx.attr.sha256))
    return rctx.repo_metadata(reproducible = True) if hasattr(rctx, "repo_metadata") else None

pinned_file = repository_rule(
    implementation = _pinned_file_impl,
    attrs = {
        "file": attr.string(mandatory = True, doc = "The file's name in the repository."),
        "key": attr.string(mandatory = True, doc = "The pin's name in the lock."),
        # Not used to check, which tools/fetch does against the same lock: a new
        # sha256 makes Bazel fetch anew.
        "sha256": attr.string(mandatory = True, doc = "The sha256 of the file."),
    },
    doc = "One file of versions/lock.json.",
)
