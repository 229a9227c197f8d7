# flowkit: fails
"""A script that raises while it is executed."""
print("executed")


def inner():
    raise ValueError("at the top level")


inner()
