# A script ends the proxy.
from _log import log
from mitmproxy import ctx


def request(flow):
    log("request", flow.request.path)


def response(flow):
    log("response", flow.request.path)
    if flow.request.path == "/stop":
        ctx.master.shutdown()


def done():
    log("done")
