# flowkit: fails
"""A script that is no Python."""


def request(flow)
    pass
