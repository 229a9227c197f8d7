# The first of two scripts, which fails at times.
from _log import log


def request(flow):
    log("first request", flow.request.path)
    flow.request.headers["X-First"] = "1"
    if flow.request.path == "/raise":
        raise ValueError("on purpose")


def response(flow):
    log("first response", flow.request.path, flow.request.headers.get("X-Second"))
    flow.response.headers["X-Chain"] = "first"


async def responseheaders(flow):
    log("first responseheaders", flow.request.path)
    if flow.request.path == "/raise":
        raise LookupError("on purpose, too")
