"""Stand-in for the rule package_metadata that ignores the metadata."""

_metadata = rule(
    implementation = lambda ctx: [],
    attrs = {
        "attributes": attr.label_list(),
        "purl": attr.string(mandatory = True),
    },
)

def package_metadata(**kwargs):
    """Declares the metadata of a package.

    Args:
        **kwargs: attributes of the rule and common attributes.
    """

    # This target is the default applicable_licenses of its repository and must
    # not refer to itself.
    _metadata(applicable_licenses = [], **kwargs)
