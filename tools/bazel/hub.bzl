"""The hub: one repository of aliases, so that one use_repo serves every pin."""

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
            doc = "Package to a JSON object of its aliases: name to the label of the file.",
        ),
    },
    doc = "A repository of aliases.",
)
