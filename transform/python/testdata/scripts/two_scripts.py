# flowkit: with _after.py
"""Two scripts, the first of which raises now and then: the second runs all the same."""
from _show import name


def running():
    print("first: running")


def request(flow):
    flow.request.headers["X-First"] = "1"
    if int(name(flow)[1:]) % 30 == 0:
        raise RuntimeError("of the first script")


def response(flow):
    flow.comment = "from the first"
    if int(name(flow)[1:]) % 40 == 0:
        flow.response.headers["X-Late"] = 5


def done():
    print("first: done")
