"""Programs of this repository with the arguments that a target gives them."""

def _command_impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(output = out, target_file = ctx.executable.program, is_executable = True)
    runfiles = ctx.runfiles(files = ctx.files.data).merge_all(
        [ctx.attr.program[DefaultInfo].default_runfiles] +
        # An image's layout has links to its layers, and they are its runfiles.
        [target[DefaultInfo].default_runfiles for target in ctx.attr.data],
    )
    return [DefaultInfo(executable = out, runfiles = runfiles)]

_ATTRS = {
    "data": attr.label_list(allow_files = True, doc = "What `args` speaks of, by $(rootpath)."),
    "program": attr.label(mandatory = True, executable = True, cfg = "target", doc = "The program."),
}

command = rule(
    implementation = _command_impl,
    attrs = _ATTRS,
    executable = True,
    doc = "A program to be run with `args`, and then with those of the command line.",
)

command_test = rule(
    implementation = _command_impl,
    attrs = _ATTRS,
    test = True,
    doc = "A test that passes when a program, run with `args`, exits with 0.",
)
