# flowkit: fails
"""A script that raises in load."""


def load(loader):
    print("load")
    raise RuntimeError("load says no")


def request(flow):
    print("never")
