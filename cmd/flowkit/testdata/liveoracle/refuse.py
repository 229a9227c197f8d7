# Connections that are refused, or led elsewhere, before they are made.
from _log import log

other = None


def client_connected(client):
    global other
    n = getattr(client_connected, "n", 0) + 1
    client_connected.n = n
    log("client_connected", n)
    if n == 1:
        client.error = "not you"


def client_disconnected(client):
    log("client_disconnected", client.error)


def request(flow):
    global other
    other = flow.request.headers.get("x-other")


def server_connect(data):
    log("server_connect", data.server.address)
    if other == "none":
        data.server.error = "not there"
    elif other:
        host, _, port = other.partition(":")
        data.server.address = host, int(port)


def server_connected(data):
    log("server_connected", data.server.address)


def response(flow):
    log("response", flow.request.path, flow.request.port == flow.server_conn.address[1], flow.response.status_code)


def error(flow):
    log("error", flow.request.path, "not there" in flow.error.msg)
