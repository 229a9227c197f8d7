# Answers with a response of its own.
from mitmproxy.http import Response


def request(flow):
    flow.response = Response.make(404, b"gone", {"content-type": "text/html"})
    flow.response.headers.insert(1, "X-A", "b")
