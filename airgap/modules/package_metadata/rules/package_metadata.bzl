"""A stand-in for package_metadata's rule: it takes a description and drops it."""

_description = rule(
    implementation = lambda ctx: [],
    attrs = {
        "attributes": attr.label_list(),
        "purl": attr.string(mandatory = True),
    },
)

def package_metadata(**kwargs):
    """Describes a package.

    Args:
        **kwargs: those of the rule, and common attributes.
    """

    # A repository describes every target in it by this one, which must not
    # describe itself.
    _description(applicable_licenses = [], **kwargs)
