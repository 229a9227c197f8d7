# flowkit: fails
"""A script that raises in running."""


def running():
    raise RuntimeError("running says no")
