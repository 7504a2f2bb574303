"""The module extension that turns versions/lock.json into repositories.

    upstream                                   the hub: aliases only
     ├── //kubernetes/v1_36_0:kubelet_linux_amd64 ──► @kubernetes_v1_36_0_kubelet_linux_amd64
     ├── //kubernetes/v1_36_0:kubelet_linux_arm64 ──► @kubernetes_v1_36_0_kubelet_linux_arm64
     ├── …                                            a spoke a file, fetched when a build needs it
     └── //programs:sleep_linux_amd64 ──────────────► @programs_sleep_linux_amd64

The root module names the hub alone in use_repo: a new pin changes the lock and
no MODULE.bazel. Nothing here depends on the machine, so nothing of it stands in
MODULE.bazel.lock.
"""

load(":file.bzl", "pinned_file")
load(":hub.bzl", "hub")

_LOCK = Label("//versions:lock.json")

def _key(pin):
    """The name of a pin in the lock, as `go run ./tools/fetch -file` takes it."""
    return "/".join([part for part in [
        pin["source"],
        pin.get("version", ""),
        pin["platform"],
        pin["file"],
    ] if part])

def _package(pin):
    """The hub's package for a pin; tools/internal/render writes the same."""
    return "/".join([part for part in [
        pin["source"],
        pin.get("version", "").replace(".", "_"),
    ] if part])

def _upstream_impl(module_ctx):
    aliases = {}
    for pin in json.decode(module_ctx.read(_LOCK))["files"]:
        package = _package(pin)
        target = pin["file"] + "_" + pin["platform"].replace("/", "_")
        spoke = package.replace("/", "_") + "_" + target
        pinned_file(
            name = spoke,
            key = _key(pin),
            file = pin["file"],
            sha256 = pin["sha256"],
        )
        aliases.setdefault(package, {})[target] = "@%s//:%s" % (spoke, pin["file"])
    hub(
        name = "upstream",
        packages = {package: json.encode(targets) for package, targets in aliases.items()},
    )
    return module_ctx.extension_metadata(
        reproducible = True,
        root_module_direct_deps = ["upstream"],
        root_module_direct_dev_deps = [],
    )

upstream = module_extension(
    implementation = _upstream_impl,
    doc = "Makes the hub `upstream` of every file that versions/lock.json pins.",
)
