# Fields of both heads: read, set, added, put in front, taken away.
from _log import log


def request(flow):
    h = flow.request.headers
    log("request", flow.request.method, flow.request.url, flow.request.http_version, h.fields)
    log(h["X-Case"], h.get("x-none", "-"), h.get_all("x-dup"), "x-dup" in h, len(h))
    h["x-case"] = "set"
    del h["X-Gone"]
    h.add("X-Dup", "3")
    h.insert(0, "X-First", "\u00fc")
    h.set_all("X-All", ["a", "b"])
    h["X-Latin"] = b"\xe9"
    flow.request.path += "?added=1"
    flow.request.method = "PUT"


def response(flow):
    h = flow.response.headers
    log("response", flow.response.status_code, flow.response.reason, flow.response.http_version, h.fields)
    h["X-Origin"] = "changed"
    h.pop("x-dup")
    for value in ("c=3", "d=4; HttpOnly"):
        h.add("Set-Cookie", value)
    flow.response.status_code = 299
    flow.response.reason = "As It Were"
