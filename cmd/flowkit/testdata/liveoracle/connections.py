# Connections: which there are, in what order they come and go.
from _log import log

names = {}


def name(conn):
    return names.setdefault(conn.id, "%s%d" % (type(conn).__name__, len(names)))


def client_connected(client):
    log("client_connected", name(client), client.peername[0], client.sockname, type(client.peername), client.connected, client.tls)
    client.mark = "mine"


def client_disconnected(client):
    log("client_disconnected", name(client), client.connected, client.timestamp_end is not None, client.mark)


def server_connect(data):
    log("server_connect", name(data.server), name(data.client), data.server.address, data.server.peername, data.server.connected)
    data.server.mark = data.client.mark


def server_connected(data):
    log("server_connected", name(data.server), data.server.peername == data.server.address, data.server.sockname[0], len(data.server.sockname), data.server.connected, data.server.mark)


def server_disconnected(data):
    log("server_disconnected", name(data.server), data.server.connected, data.server.timestamp_end is not None, data.server.mark)


def requestheaders(flow):
    log("requestheaders", flow.request.path, name(flow.client_conn), flow.client_conn.mark, flow.server_conn.connected)


def request(flow):
    log("request", flow.request.path)


def responseheaders(flow):
    log("responseheaders", flow.request.path, name(flow.server_conn), flow.server_conn.mark)


def response(flow):
    log("response", flow.request.path, flow.live)
