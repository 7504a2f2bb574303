"""Runs hk fetch with the Go toolchain of Bazel, for the repository rules of pins."""

load("@go_host_compatible_sdk_label//:defs.bzl", "HOST_COMPATIBLE_SDK")

# In seconds. Rebuilding a file from source takes minutes, and the files of one
# version are rebuilt one after another.
_TIMEOUT = 3 * 60 * 60

# Settings of the machine, in the environment or of go env -w, that would build
# hk for another machine, from other sources or by another Go. Settings for
# proxies, checksums, credentials and caches are the machine's.
_GO_ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GO111MODULE": "on",
    "GOAMD64": "v1",
    "GOARM64": "v8.0",
    "GOEXPERIMENT": "",
    "GOFIPS140": "off",
    # Not empty, or Go would use the setting of the machine.
    "GOFLAGS": "-buildvcs=false",
    "GOTOOLCHAIN": "local",
}

def _platform(os):
    """Returns GOOS and GOARCH of the machine."""
    name = os.name.lower()
    goos = "darwin" if name.startswith("mac") else "windows" if name.startswith("windows") else name
    return goos, {"aarch64": "arm64", "x86_64": "amd64"}.get(os.arch, os.arch)

def fetch(rctx, arguments, subject):
    """Fetches what versions/lock.json pins.

    hk does the work and all checks: it looks in the store by sha256, then
    upstream, then, if HYPERKUBE_REBUILD=1, it rebuilds the file from source. Its
    messages are shown as they come.

    Args:
        rctx: the context of the repository rule.
        arguments: the arguments of hk fetch.
        subject: the file or image and its sha256, for error messages.
    """
    go = rctx.path(HOST_COMPATIBLE_SDK).dirname.get_child("bin").get_child("go")
    goos, goarch = _platform(rctx.os)
    result = rctx.execute(
        [go, "run", "./tools/hk", "fetch"] + arguments,
        working_directory = str(rctx.workspace_root),
        environment = _GO_ENVIRONMENT | {
            "GOARCH": goarch,
            "GOOS": goos,
            "GOROOT": str(go.realpath.dirname.dirname),
            "GOWORK": str(rctx.workspace_root.get_child("go.work")),
            "PATH": "%s:%s" % (go.dirname, rctx.os.environ.get("PATH", "")),
        },
        timeout = _TIMEOUT,
        quiet = False,
    )
    if not result.return_code:
        return

    # go run reports the status of a program that fails, and nothing about one that it cannot build.
    if result.stderr.strip().split("\n")[-1].startswith("exit status "):
        fail("fetching %s: hk failed; see its error above." % subject)
    fail(("fetching %s: hk could not be run: go run ./tools/hk in %s ended with status %d; see the lines above. " +
          "The file itself was not checked. Fix: go must reach its module proxy, see go env GOPROXY.") % (subject, rctx.workspace_root, result.return_code))
