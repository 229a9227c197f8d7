# Servers that cannot be reached, or give no answer.
from _log import log


def request(flow):
    log("request", flow.request.path)


def responseheaders(flow):
    log("responseheaders", flow.request.path, flow.response.status_code)


def response(flow):
    log("response", flow.request.path, flow.response.status_code, len(flow.response.raw_content))


def error(flow):
    log("error", flow.request.path, bool(flow.error.msg), type(flow.error.timestamp).__name__, flow.response and flow.response.status_code)


def server_connected(data):
    log("server_connected", data.server.connected)


def server_disconnected(data):
    log("server_disconnected", data.server.connected)
