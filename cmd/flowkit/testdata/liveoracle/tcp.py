# Bytes that are no HTTP: seen, changed, added.
from _log import log
from mitmproxy import ctx


def tcp_start(flow):
    log("tcp_start", flow.messages, flow.client_conn.connected, flow.live)


def tcp_message(flow):
    m = flow.messages[-1]
    log("tcp_message", m.from_client, m.content, len(flow.messages))
    m.content = m.content.replace(b"tea", b"coffee")
    if m.content == b"nothing\n":
        m.content = b""
    elif m.content == b"inject\n":
        ctx.master.commands.call("inject.tcp", flow, True, b"injected tea\n")


def tcp_end(flow):
    log("tcp_end", [(m.from_client, m.content) for m in flow.messages])


def tcp_error(flow):
    log("tcp_error", flow.error.msg)


def requestheaders(flow):
    log("requestheaders")
