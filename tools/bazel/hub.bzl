"""The hub: a repository with an alias for each pin, so that one use_repo is enough."""

def _hub_impl(rctx):
    for package, targets in rctx.attr.packages.items():
        rctx.file(package + "/BUILD.bazel", "".join([
            "alias(name = %s, actual = %s, visibility = [\"//visibility:public\"])\n" % (repr(name), repr(actual))
            for name, actual in json.decode(targets).items()
        ]))

hub = repository_rule(
    implementation = _hub_impl,
    attrs = {
        "packages": attr.string_dict(
            mandatory = True,
            doc = "Packages to JSON objects: names of aliases to labels.",
        ),
    },
    doc = "A repository with aliases.",
)
