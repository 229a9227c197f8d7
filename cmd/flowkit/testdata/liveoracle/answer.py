# Answers that the script gives itself.
from _log import log
from mitmproxy import http


def requestheaders(flow):
    log("requestheaders", flow.request.path, flow.request.raw_content)
    if flow.request.path == "/early":
        flow.response = http.Response.make(403, b"not that\n", {"X-Script": "early"})


def request(flow):
    path = flow.request.path
    log("request", path, flow.request.raw_content, flow.response is not None)
    if path == "/text":
        flow.response = http.Response.make(418, "t\u00e9", {"Content-Type": "text/plain; charset=utf-8", "X-A": "1"})
    elif path == "/empty":
        flow.response = http.Response.make(204)
    elif path == "/fields":
        flow.response = http.Response.make(200, b"\x00\xff", ((b"x-b", b"1"), (b"X-B", b"2")))
    elif path == "/head":
        flow.response = http.Response.make(200, b"0123456789")
    elif path == "/moved":
        flow.response = http.Response.make(302, b"", {"Location": "/there"})


def responseheaders(flow):
    log("responseheaders", flow.request.path, flow.response.status_code)
    flow.response.headers["X-Seen"] = "1"


def response(flow):
    log("response", flow.request.path, flow.response.raw_content, flow.response.headers.fields)
    flow.response.headers["X-Seen"] += "2"


def error(flow):
    log("error", flow.request.path, flow.error.msg)
