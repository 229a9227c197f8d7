# What a tunnel carries, as the script says.
from _log import log
from mitmproxy.proxy import layers


def next_layer(data):
    first = data.data_client()
    if first.startswith(b"GET /raw"):
        log("next_layer", first.split(b"\r\n")[0], data.context.server.address)
        data.layer = layers.TCPLayer(data.context)
    elif first.startswith(b"GET /ignored"):
        log("next_layer", first.split(b"\r\n")[0])
        data.layer = layers.TCPLayer(data.context, ignore=True)


def tcp_message(flow):
    m = flow.messages[-1]
    log("tcp_message", m.from_client, m.content)
    m.content = m.content.replace(b"raw", b"changed")


def tcp_end(flow):
    log("tcp_end")


def request(flow):
    log("request", flow.request.path)
