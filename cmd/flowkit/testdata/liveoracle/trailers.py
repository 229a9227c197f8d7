# Fields behind the bodies, of bodies that are held and of such that are not.
from _log import log


def fields(message):
    return message.trailers and message.trailers.fields


def requestheaders(flow):
    log("requestheaders", flow.request.path)
    flow.request.stream = flow.request.path == "/stream"


def request(flow):
    log("request", fields(flow.request))
    flow.request.trailers["x-t"] += ", changed"


def responseheaders(flow):
    log("responseheaders")
    flow.response.stream = flow.request.path == "/stream"


def response(flow):
    log("response", fields(flow.response))
    flow.response.trailers["x-r"] += ", changed"
