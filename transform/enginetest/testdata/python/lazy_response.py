# Answers a request that got no response.
from mitmproxy.http import Response


def request(flow):
    if flow.response is None:
        flow.response = Response.make(418)

def response(flow):
    flow.response.headers["x-seen"] = str(flow.response.status_code)
