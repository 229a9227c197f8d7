# The second of two scripts.
from _log import log


def request(flow):
    log("second request", flow.request.path, flow.request.headers.get("X-First"))
    flow.request.headers["X-Second"] = "1"


def response(flow):
    log("second response", flow.request.path, flow.response.headers["X-Chain"])
    flow.response.headers["X-Chain"] += " second"


def running():
    log("second running")


def done():
    log("second done")


def responseheaders(flow):
    log("second responseheaders", flow.request.path)
