"""The module extension that turns versions/lock.json into repositories.

    upstream                                   the hub: aliases only
     ├── //kubernetes/v1_36_0:kubelet_linux_amd64 ──► @kubernetes_v1_36_0_kubelet_linux_amd64
     ├── //kubernetes/v1_36_0:kubelet_linux_arm64 ──► @kubernetes_v1_36_0_kubelet_linux_arm64
     ├── …                                            a spoke a file, fetched when a build needs it
     ├── //programs:sleep_linux_amd64 ──────────────► @programs_sleep_linux_amd64
     └── //bases:base_SHA256_linux_amd64 ───────────► @bases_base_SHA256_linux_amd64

The root module names the hub alone in use_repo: a new pin changes the lock and
no MODULE.bazel. Nothing here depends on the machine, so nothing of it stands in
MODULE.bazel.lock.
"""

load(":base.bzl", "pinned_base")
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
    """The hub's package for a pin; tools/internal/generate writes the same."""
    return "/".join([part for part in [
        pin["source"],
        pin.get("version", "").replace(".", "_"),
    ] if part])

def _base_target(pin):
    """The name of a base image's target; versions.BaseKey.Target writes the same."""
    repository, _, digest = pin["image"].partition("@sha256:")
    return "_".join([repository.rpartition("/")[2], digest, pin["platform"].replace("/", "_")])

def _upstream_impl(module_ctx):
    aliases = {}
    lock = json.decode(module_ctx.read(_LOCK))
    for pin in lock.get("bases", []):
        target = _base_target(pin)
        if target in aliases.get("bases", {}):
            continue  # another registry's, and the same
        pinned_base(
            name = "bases_" + target,
            image = pin["image"],
            platform = pin["platform"],
            sha256 = pin["sha256"],
        )
        aliases.setdefault("bases", {})[target] = "@bases_%s//:base" % target
    for pin in lock["files"]:
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
    doc = "Makes the hub `upstream` of every file and base image that versions/lock.json pins.",
)
