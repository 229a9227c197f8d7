"""A response given or taken away before its hooks run."""
from _show import name

from mitmproxy import http


def requestheaders(flow):
    if flow.request.path.startswith("/cookies"):
        flow.response = None


def request(flow):
    if flow.response is None:
        flow.response = http.Response.make(503, b"made for the pending", {"Server": "script"})
        flow.response.timestamp_start = flow.response.timestamp_end = 1600000000.0
    elif flow.request.path.startswith("/status"):
        flow.response = None


def responseheaders(flow):
    print("responseheaders", name(flow), flow.response.status_code)


def response(flow):
    print("response", name(flow), flow.response.status_code)
    if flow.response.status_code == 503:
        flow.response.headers["X-Seen"] = "in response"


def error(flow):
    print("error", name(flow), flow.error, flow.response)
