"""WebSocket flows and their messages."""
from _show import get, name, show

from mitmproxy import websocket


def websocket_start(flow):
    print(name(flow), "start", flow.websocket.messages, *get(flow.websocket, "closed_by_client close_code close_reason timestamp_end"), type(flow.websocket).__name__)


def websocket_message(flow):
    m = flow.websocket.messages[-1]
    print(name(flow), len(flow.websocket.messages), *get(m, "type from_client content timestamp dropped injected is_text text"))
    print(name(flow), repr(m.type), type(m.type).__name__, ascii(repr(m)), m.get_state(), isinstance(m, websocket.WebSocketMessage))


def websocket_end(flow):
    w = flow.websocket
    print(name(flow), "end", len(w.messages), [len(m.content) for m in w.messages], show(w.get_state()))
    again = websocket.WebSocketData.from_state(w.get_state())
    print(name(flow), [a.get_state() == b.get_state() for a, b in zip(w.messages, again.messages)], again.close_code, again.close_reason)


def response(flow):
    if flow.websocket:
        print(name(flow), "response", flow.response.status_code, len(flow.websocket.messages))
