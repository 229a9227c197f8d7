"""ctx.master.shutdown() does not end the reading of a file."""
from _show import name

from mitmproxy import ctx


def request(flow):
    if flow.request.path == "/old":
        ctx.master.shutdown()
    if flow.request.path == "/gzip":
        print(name(flow), "still here")
    flow.request.headers["X-Seen"] = "1"


def done():
    print("done")
