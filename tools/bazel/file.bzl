"""A spoke: a repository with one pinned file."""

load(":fetch.bzl", "fetch")

def _pinned_file_impl(rctx):
    rctx.file("BUILD.bazel", "exports_files([%s])\n" % repr(rctx.attr.file))
    rctx.report_progress("fetching " + rctx.attr.key)
    fetch(
        rctx,
        [rctx.attr.key, "-o", str(rctx.path(rctx.attr.file))],
        "%s with the sha256 %s of versions/lock.json" % (rctx.attr.key, rctx.attr.sha256),
    )
    return rctx.repo_metadata(reproducible = True) if hasattr(rctx, "repo_metadata") else None

pinned_file = repository_rule(
    implementation = _pinned_file_impl,
    attrs = {
        "file": attr.string(mandatory = True, doc = "The name of the file in the repository."),
        "key": attr.string(mandatory = True, doc = "The key of the pin in the lock."),
        # Not checked here: hk fetch reads it from the lock. A change makes Bazel
        # fetch the file again.
        "sha256": attr.string(mandatory = True, doc = "The sha256 of the file."),
    },
    doc = "A file of versions/lock.json.",
)
