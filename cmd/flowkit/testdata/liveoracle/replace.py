# Whole messages in the place of others.
from _log import log
from mitmproxy import http


def request(flow):
    log("request", flow.request.path)
    if flow.request.path == "/request":
        new = http.Request.make("PATCH", flow.request.url + "/new", "a new body", {"Host": "", "X-New": "1"})
        new.headers["Host"] = flow.request.headers["Host"]
        flow.request = new
    elif flow.request.path == "/copy":
        flow.request = flow.request.copy()
        flow.request.headers["X-Copy"] = "1"
    elif flow.request.path == "/answered":
        flow.response = http.Response.make(200, b"first")


def responseheaders(flow):
    log("responseheaders", flow.request.path, flow.request.method)
    if flow.request.path == "/head":
        flow.response.status_code = 206
        flow.response.headers["X-Early"] = "1"
        flow.response.http_version = "HTTP/1.1"


def response(flow):
    log("response", flow.request.path, flow.response.content)
    if flow.request.path in ("/response", "/answered"):
        flow.response = http.Response.make(404, b"instead", {"X-New": "1"})
    elif flow.request.path == "/copy":
        flow.response = flow.response.copy()
        flow.response.content = flow.response.content[::-1]
    elif flow.request.path == "/bare":
        flow.response.headers.clear()
