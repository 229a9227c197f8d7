# flowkit: fails
# flowkit: args --set number=many
"""An option of the command line that is of the wrong type."""


def load(loader):
    loader.add_option("number", int, 1, "A number.")
