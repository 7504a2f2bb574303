"""The module extension that turns versions/lock.json into repositories.

    upstream                                   the hub: aliases only
     ├── //kubernetes/v1_36_0:kubelet_linux_amd64 ──► @kubernetes_v1_36_0_kubelet_linux_amd64
     ├── //kubernetes/v1_36_0:kubelet_linux_arm64 ──► @kubernetes_v1_36_0_kubelet_linux_arm64
     ├── …                                            a spoke for each file, fetched when a build needs it
     ├── //programs:sleep_linux_amd64 ──────────────► @programs_sleep_linux_amd64
     ├── //debian/slim:bash_linux_amd64 ────────────► @debian_SHA256
     └── //bases:base_SHA256_linux_amd64 ───────────► @bases_base_SHA256_linux_amd64

use_repo in MODULE.bazel names only the hub: a new pin changes the lock and no
MODULE.bazel. The extension is reproducible, so MODULE.bazel.lock has no entry
for it.
"""

load(":base.bzl", "pinned_base")
load(":file.bzl", "pinned_file")
load(":hub.bzl", "hub")
load(":labels.bzl", "base_target", "file_target")

_LOCK = Label("//versions:lock.json")

def _key(pin):
    """Returns the key of a file in the lock, as `file_target` and `hk fetch` take it."""
    return "/".join([pin[field] for field in ["source", "version", "platform", "file"] if field in pin])

def _spoke(package, target):
    return package.replace("/", "_") + "_" + target

def _packages(lock, aliases):
    """Defines a spoke for each .deb, which several sets and platforms may share."""
    snapshots = {snapshot["archive"]: snapshot["time"] for snapshot in lock.get("snapshots", [])}
    spokes = {}
    for pin in lock.get("packages", []):
        key = "/".join(["debian", pin["set"], pin["platform"], pin["name"]])
        file = pin["path"].rpartition("/")[2]
        spoke = "debian_" + pin["sha256"]
        if spoke not in spokes:
            spokes[spoke] = file
            pinned_file(
                name = spoke,
                key = key,
                file = file,
                sha256 = pin["sha256"],
                url = "https://snapshot.debian.org/archive/%s/%s/%s" % (pin["archive"], snapshots[pin["archive"]], pin["path"]),
            )
        package, target = file_target(key)
        aliases.setdefault(package, {})[target] = "@%s//:%s" % (spoke, spokes[spoke])

def _upstream_impl(module_ctx):
    aliases = {}
    lock = json.decode(module_ctx.read(_LOCK))
    for pin in lock.get("bases", []):
        package, target = base_target(pin["image"], pin["platform"])
        if target in aliases.get(package, {}):
            continue  # the same image in another registry
        spoke = _spoke(package, target)
        pinned_base(
            name = spoke,
            image = pin["image"],
            platform = pin["platform"],
            sha256 = pin["sha256"],
        )
        aliases.setdefault(package, {})[target] = "@%s//:base" % spoke
    for pin in lock["files"]:
        key = _key(pin)
        package, target = file_target(key)
        spoke = _spoke(package, target)
        pinned_file(
            name = spoke,
            key = key,
            file = pin["file"],
            sha256 = pin["sha256"],
            url = "" if "member" in pin else pin.get("url", ""),
        )
        aliases.setdefault(package, {})[target] = "@%s//:%s" % (spoke, pin["file"])
    _packages(lock, aliases)
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
    doc = "Defines the hub `upstream` with every file, Debian package and base image that versions/lock.json pins.",
)
