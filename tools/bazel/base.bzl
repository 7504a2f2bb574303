"""A spoke: a repository with one pinned base image."""

load(":fetch.bzl", "fetch")

_BUILD = """\
load("{}", "base")

base(
    name = "base",
    srcs = glob(["layout/**"]),
    visibility = ["//visibility:public"],
)
"""

def _pinned_base_impl(rctx):
    rctx.file("BUILD.bazel", _BUILD.format(Label("//tools/bazel:layout.bzl")))
    rctx.report_progress("fetching " + rctx.attr.image)
    fetch(
        rctx,
        ["--base", rctx.attr.image, "--platform", rctx.attr.platform, "-o", str(rctx.path("layout"))],
        "base image %s for %s with the manifest %s of versions/lock.json" % (rctx.attr.image, rctx.attr.platform, rctx.attr.sha256),
    )
    return rctx.repo_metadata(reproducible = True) if hasattr(rctx, "repo_metadata") else None

pinned_base = repository_rule(
    implementation = _pinned_base_impl,
    attrs = {
        "image": attr.string(mandatory = True, doc = "REGISTRY/REPOSITORY@sha256:DIGEST."),
        "platform": attr.string(mandatory = True, doc = "OS/ARCHITECTURE."),
        # Not checked here: hk fetch reads it from the lock. A change makes Bazel
        # fetch the image again.
        "sha256": attr.string(mandatory = True, doc = "The sha256 of the platform's manifest."),
    },
    doc = "A base image of versions/lock.json for one platform.",
)
