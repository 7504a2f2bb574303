"""Repository of the programs for toolchains of rules_oci."""

_PROGRAMS = ["bsdtar", "coreutils", "crane", "jq", "regctl", "zstd"]

def _programs_repository_impl(ctx):
    directory = ctx.os.environ.get("HYPERKUBE_OCI_PROGRAMS")
    if not directory:
        fail("HYPERKUBE_OCI_PROGRAMS is not set: want a directory with " + ", ".join(_PROGRAMS))
    for program in _PROGRAMS:
        ctx.symlink(directory + "/" + program, program)
    ctx.file("BUILD.bazel", "exports_files({})\n".format(repr(_PROGRAMS)))

_programs_repository = repository_rule(
    _programs_repository_impl,
    environ = ["HYPERKUBE_OCI_PROGRAMS"],
)

programs = module_extension(lambda ctx: _programs_repository(name = "oci_programs"))
