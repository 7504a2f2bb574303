"""A spoke: one repository with one pinned file."""

load(":fetch.bzl", "fetch")

def _pinned_file_impl(rctx):
    rctx.file("BUILD.bazel", "exports_files([%s])\n" % repr(rctx.attr.file))
    rctx.report_progress("getting " + rctx.attr.key)
    fetch(
        rctx,
        ["-file", rctx.attr.key, "-o", str(rctx.path(rctx.attr.file))],
        "%s did not come to the sha256 that versions/lock.json has, %s" % (rctx.attr.key, rctx.attr.sha256),
    )
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
