# flowkit: fails
# flowkit: args --set wanted=bad
"""A script that refuses an option at the start."""
from mitmproxy import ctx, exceptions


def load(loader):
    loader.add_option("wanted", str, "", "An option.")


def configure(updated):
    if ctx.options.wanted == "bad":
        raise exceptions.OptionsError("wanted must not be bad")
