"""A spoke: a repository with one pinned file."""

load(":fetch.bzl", "fetch")

def _pinned_file_impl(rctx):
    rctx.file("BUILD.bazel", "exports_files([%s])\n" % repr(rctx.attr.file))
    rctx.report_progress("fetching " + rctx.attr.key)
    if not _download(rctx):
        fetch(
            rctx,
            [rctx.attr.key, "-o", str(rctx.path(rctx.attr.file))],
            "%s with the sha256 %s of versions/lock.json" % (rctx.attr.key, rctx.attr.sha256),
        )
    return rctx.repo_metadata(reproducible = True) if hasattr(rctx, "repo_metadata") else None

def _download(rctx):
    """Fetches the file with Bazel's downloader, which verifies the sha256.

    So the repository cache, --distdir, the downloader configuration and
    credential helpers apply. A file in the store has precedence. hk does the
    rest: mirrors, members of archives, rebuilds, and errors that describe files
    that are not the pinned ones. Of Debian packages, Bazel knows only the URL in
    the snapshot archive.

    Returns:
        True if the file has been fetched.
    """
    if rctx.os.environ.get("HYPERKUBE_UPSTREAM") or rctx.os.environ.get("HYPERKUBE_REBUILD") == "1":
        return False
    if rctx.attr.key.startswith("debian/") and (rctx.os.environ.get("HYPERKUBE_DEBIAN_MIRROR") or
                                                rctx.os.environ.get("HYPERKUBE_DEBIAN_SECURITY_MIRROR")):
        return False
    url = _stored_url(rctx) or rctx.attr.url
    if not url:
        return False
    return rctx.download(
        url,
        output = rctx.attr.file,
        sha256 = rctx.attr.sha256,
        executable = True,
        allow_fail = True,
    ).success

def _stored_url(rctx):
    """Returns the URL of the file in the store, which bazelw names, or None."""
    store = rctx.os.environ.get("HYPERKUBE_STORE", "")
    for character in store.elems():
        if not character.isalnum() and character not in "/._-+,=@~":
            return None  # needs quoting in a URL
    path = store + "/sha256/" + rctx.attr.sha256
    return "file://" + path if store.startswith("/") and rctx.path(path).exists else None

pinned_file = repository_rule(
    implementation = _pinned_file_impl,
    attrs = {
        "file": attr.string(mandatory = True, doc = "The name of the file in the repository."),
        "key": attr.string(mandatory = True, doc = "The key of the pin in the lock."),
        "sha256": attr.string(mandatory = True, doc = "The sha256 of the file."),
        "url": attr.string(doc = "The URL of the file, unless it is a member of an archive or a program of this repository."),
    },
    doc = "A file of versions/lock.json.",
)
