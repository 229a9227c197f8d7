"""Objects shared between messages, flows and hooks."""
from _show import name

kept = {}


def request(flow):
    n = int(name(flow)[1:])
    if n % 5 == 0:
        kept["headers"] = flow.request.headers
        kept["body"] = flow.request.raw_content
        kept["fields"] = flow.request.headers.fields
    elif n % 5 == 1 and "body" in kept:
        flow.request.headers = kept["headers"]
    elif n % 5 == 2 and "body" in kept:
        flow.request.raw_content = kept["body"]
        flow.request.headers.fields = kept["fields"]
    elif n % 5 == 3 and flow.response:
        flow.request.headers = flow.response.headers
        flow.response.headers["shared"] = "by both"


def response(flow):
    n = int(name(flow)[1:])
    if n % 5 == 4 and not flow.websocket:
        flow.response.raw_content, flow.request.raw_content = flow.request.raw_content, flow.response.raw_content
        flow.request.headers, flow.response.headers = flow.response.headers, flow.request.headers
    if n % 5 == 0 and "response" in kept and not flow.websocket:
        flow.response = kept["response"].copy()
        flow.response.headers["of"] = name(flow)
    kept["response"] = flow.response
    print(name(flow), flow.request.headers is flow.response.headers, flow.request.headers.get("shared"))
