# WebSocket messages: edited, dropped, added.
from _log import log
from mitmproxy import ctx


def response(flow):
    log("response", flow.response.status_code, flow.websocket is not None)


def websocket_start(flow):
    log("websocket_start", flow.websocket.messages, flow.live)


def websocket_message(flow):
    m = flow.websocket.messages[-1]
    log("websocket_message", m.type.name, m.from_client, m.content, m.is_text, m.injected, m.dropped, len(flow.websocket.messages))
    if m.injected:
        return
    if m.content == b"edit":
        m.content = b"edited in the script"
    elif m.content == b"text":
        m.text = "\u00e9crit"
    elif m.content == b"drop":
        m.drop()
    elif m.content == b"inject":
        ctx.master.commands.call("inject.websocket", flow, True, b"to the client")
        ctx.master.commands.call("inject.websocket", flow, False, b"to the server", False)


def websocket_end(flow):
    w = flow.websocket
    log("websocket_end", w.closed_by_client, w.close_code, w.close_reason, len(w.messages), w.timestamp_end is not None)


def error(flow):
    log("error")
