# CONNECT: seen, refused, killed, led elsewhere.
from _log import log
from mitmproxy import http


def http_connect(flow):
    r = flow.request
    log("http_connect", r.method, r.host, r.port, r.path, r.authority, r.headers.fields, flow.response)
    what = r.headers.get("x-what")
    if what == "refuse":
        flow.response = http.Response.make(403, b"no tunnels", {"X-Why": "script"})
    elif what == "kill":
        flow.kill()
    elif what:
        host, _, port = what.partition(":")
        r.host, r.port = host, int(port)


def requestheaders(flow):
    log("requestheaders", flow.request.method, flow.request.url)


def request(flow):
    log("request", flow.request.method, flow.request.url)


def response(flow):
    log("response", flow.request.method, flow.response.status_code)


def error(flow):
    log("error", flow.request.method, flow.error.msg)
