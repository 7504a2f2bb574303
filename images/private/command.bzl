"""Rules for programs of this repository with fixed arguments."""

def _command_impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(output = out, target_file = ctx.executable.program, is_executable = True)
    runfiles = ctx.runfiles(files = ctx.files.data).merge_all(
        [ctx.attr.program[DefaultInfo].default_runfiles] +
        # The layout of an image has symlinks to its layers, which are its runfiles.
        [target[DefaultInfo].default_runfiles for target in ctx.attr.data],
    )
    return [DefaultInfo(executable = out, runfiles = runfiles)]

_ATTRS = {
    "data": attr.label_list(allow_files = True, doc = "Files and targets of $(rootpath) in `args`."),
    "program": attr.label(mandatory = True, executable = True, cfg = "exec", doc = "The program to run, built for this machine like the programs of actions."),
}

command = rule(
    implementation = _command_impl,
    attrs = _ATTRS,
    executable = True,
    doc = "Runs a program with `args`, followed by the arguments of the command line.",
)

command_test = rule(
    implementation = _command_impl,
    attrs = _ATTRS,
    test = True,
    doc = "Runs a program with `args`; the test passes if it exits with 0.",
)
