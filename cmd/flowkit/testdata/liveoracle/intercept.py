# A flow is held, and goes on, or not, when another one is done.
from _log import log

held = []


def request(flow):
    log("request", flow.request.path)
    if flow.request.path == "/hold":
        flow.intercept()
        held.append(flow)


def response(flow):
    log("response", flow.request.path, flow.intercepted)
    if flow.request.path == "/resume":
        first = held.pop()
        first.request.headers["X-Held"] = str(first.intercepted)
        first.resume()
    elif flow.request.path == "/kill":
        held.pop().kill()


def error(flow):
    log("error", flow.request.path, flow.error.msg)
