"""A spoke: one repository with one pinned base image."""

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
    rctx.report_progress("getting " + rctx.attr.image)
    fetch(
        rctx,
        ["-base", rctx.attr.image, "-platform", rctx.attr.platform, "-o", str(rctx.path("layout"))],
        "the base image %s for %s did not come to the manifest that versions/lock.json has, %s" % (rctx.attr.image, rctx.attr.platform, rctx.attr.sha256),
    )
    return rctx.repo_metadata(reproducible = True) if hasattr(rctx, "repo_metadata") else None

pinned_base = repository_rule(
    implementation = _pinned_base_impl,
    attrs = {
        "image": attr.string(mandatory = True, doc = "REGISTRY/REPOSITORY@sha256:DIGEST."),
        "platform": attr.string(mandatory = True, doc = "OS/ARCHITECTURE."),
        # As with files: to fetch anew, not to check.
        "sha256": attr.string(mandatory = True, doc = "The sha256 of the platform's manifest."),
    },
    doc = "One base image of versions/lock.json, for one platform.",
)
