"""Runs hk fetch with the Go toolchain of Bazel, for the repository rules of pins."""

load("@go_host_compatible_sdk_label//:defs.bzl", "HOST_COMPATIBLE_SDK")

# In seconds. Rebuilding a file from source takes minutes, and the files of one
# version are rebuilt one after another.
_TIMEOUT = 3 * 60 * 60

def fetch(rctx, arguments, error):
    """Fetches what versions/lock.json pins.

    hk does the work and all checks: it looks in the store by sha256, then
    upstream, then, if HYPERKUBE_REBUILD=1, it rebuilds the file from source. Its
    messages are shown as they come.

    Args:
        rctx: the context of the repository rule.
        arguments: the arguments of hk fetch.
        error: the error message if it fails.
    """
    go = rctx.path(HOST_COMPATIBLE_SDK).dirname.get_child("bin").get_child("go")
    result = rctx.execute(
        [go, "run", "./tools/hk", "fetch"] + arguments,
        working_directory = str(rctx.workspace_root),
        environment = {
            # Not empty, or Go would use the setting of the machine.
            "GOFLAGS": "-buildvcs=false",
            "GOWORK": str(rctx.workspace_root.get_child("go.work")),
            "PATH": "%s:%s" % (go.dirname, rctx.os.environ.get("PATH", "")),
        },
        timeout = _TIMEOUT,
        quiet = False,
    )
    if result.return_code:
        fail(error + " failed; see the lines above.")
