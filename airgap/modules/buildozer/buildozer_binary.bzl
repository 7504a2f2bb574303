"""Stand-in for the extension of buildozer: a repository without the program."""

def _empty_impl(ctx):
    ctx.file("BUILD.bazel", "")

_empty = repository_rule(_empty_impl)

buildozer_binary = module_extension(lambda ctx: _empty(name = "buildozer_binary"))
