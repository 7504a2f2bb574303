"""What the spokes run: tools/fetch, on the Go that Bazel has."""

load("@go_host_compatible_sdk_label//:defs.bzl", "HOST_COMPATIBLE_SDK")

# A rebuild from source takes minutes a file, and those of one version wait for
# one another. In seconds.
_TIMEOUT = 3 * 60 * 60

def fetch(rctx, arguments, fault):
    """Gets what versions/lock.json pins.

    All of the work, and every check, is tools/fetch's: the store by sha256, then
    upstream, then, where HYPERKUBE_REBUILD=1, the source. Its messages are shown
    as they come.

    Args:
        rctx: the repository's context.
        arguments: of tools/fetch.
        fault: what to say if it fails.
    """
    go = rctx.path(HOST_COMPATIBLE_SDK).dirname.get_child("bin").get_child("go")
    result = rctx.execute(
        [go, "run", "./tools/fetch"] + arguments,
        working_directory = str(rctx.workspace_root),
        environment = {
            # A setting of the machine's would hold in the place of an empty one.
            "GOFLAGS": "-buildvcs=false",
            "GOWORK": str(rctx.workspace_root.get_child("go.work")),
            "PATH": "%s:%s" % (go.dirname, rctx.os.environ.get("PATH", "")),
        },
        timeout = _TIMEOUT,
        quiet = False,
    )
    if result.return_code:
        fail(fault + "; the lines above say why.")
