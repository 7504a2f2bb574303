"""The option with the remote cache from which pushes read layers."""

def _cas_impl(ctx):
    return [platform_common.TemplateVariableInfo({"CAS": ctx.build_setting_value})]

cas = rule(
    implementation = _cas_impl,
    build_setting = config.string(flag = True),
    doc = "A string option with the URL of a remote cache. Targets that name it in `toolchains` have the variable $(CAS).",
)
