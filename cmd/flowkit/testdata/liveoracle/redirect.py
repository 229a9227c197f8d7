# Requests that go elsewhere.
from _log import log


def request(flow):
    r = flow.request
    path, other = r.path, r.headers.get("x-other", "")
    host, _, port = other.partition(":")
    if path == "/port":
        r.port = int(port)
    elif path == "/both":
        r.host, r.port = host, int(port)
        r.headers["Host"] = "named.example"
    elif path == "/url":
        r.url = "http://%s/new?x=1" % other
        r.headers["Host"] = other
    elif path == "/secure":
        r.scheme = "https"
    elif path == "/plain":
        r.scheme = "http"
        r.host, r.port = host, int(port)
        r.headers["Host"] = other
    elif path == "/path":
        r.path = "/otherwise"
    r.headers.pop("x-other", None)
    log("request", r.scheme, r.host, r.port, r.path, r.pretty_host)


def response(flow):
    log("response", flow.server_conn.address, flow.response.headers.get("x-origin"))
