"""sys.exit in a hook: flows so far are written, done runs, the code is the script's."""
import sys

from _show import name


def response(flow):
    flow.response.headers["X-Seen"] = "1"
    print(name(flow))
    if flow.request.path == "/status/302":
        sys.exit(3)


def done():
    print("done")
