"""sys.exit with a text: it goes to stderr, the code is 1."""
import sys


def request(flow):
    if flow.request.path == "/status/302":
        sys.exit("enough of it")


def done():
    print("done")
