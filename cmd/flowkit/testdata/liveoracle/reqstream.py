# Bodies of requests that are not held.
from _log import log


def requestheaders(flow):
    log("requestheaders", flow.request.path, flow.request.headers.get("content-length"), flow.request.headers.get("transfer-encoding"))
    if flow.request.path.startswith("/true"):
        flow.request.stream = True
    elif flow.request.path.startswith("/upper"):
        flow.request.stream = lambda data: data.upper()
    elif flow.request.path.startswith("/end"):
        flow.request.stream = lambda data: data or b"[end]"
    flow.request.headers["X-Path"] = flow.request.path


def request(flow):
    flow.request.headers["X-Late"] = "1"
    log("request", flow.request.path, flow.request.raw_content)


def responseheaders(flow):
    log("responseheaders", flow.request.path)


def response(flow):
    log("response", flow.request.path, flow.response.raw_content)
