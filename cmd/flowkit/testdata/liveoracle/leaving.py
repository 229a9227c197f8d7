# A client that does not wait for an answer.
from _log import log


def request(flow):
    log("request", flow.request.path)


def responseheaders(flow):
    log("responseheaders", flow.request.path)


def response(flow):
    log("response", flow.request.path)


def error(flow):
    log("error", flow.request.path, flow.live, flow.response is None)


def client_disconnected(client):
    log("client_disconnected")
