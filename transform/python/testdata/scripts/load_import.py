# flowkit: fails
"""A script that imports what is not there."""
import nosuch_module_of_nobody


def request(flow):
    pass
