"""How WebSocket flows end, changed; messages sorted and swapped; a WebSocket taken away or given."""
from _show import name

from mitmproxy import websocket


def websocket_end(flow):
    w = flow.websocket
    if flow.request.path == "/ws":
        w.closed_by_client, w.close_code, w.close_reason = False, 1011, "chang\u00e9d"
        w.messages.reverse()
    elif flow.request.path == "/ws-open":
        w.timestamp_end = 5.5
        w.closed_by_client = True
    elif flow.request.path == "/ws-server":
        w.messages = w.messages[1:] + w.messages[:1]
        w.close_reason = None
    elif flow.request.path == "/ws-many":
        w.messages = [m for m in w.messages if m.from_client]
        w.messages[3], w.messages[5] = w.messages[5], w.messages[3]
        w.messages.append(w.messages[0])
    elif flow.request.path == "/ws-none":
        flow.websocket = websocket.WebSocketData()
        flow.websocket.messages.append(websocket.WebSocketMessage(1, True, b"in a new one", 1.0))
    elif flow.request.path == "/ws-error":
        w.messages.clear()
        w.closed_by_client = w.close_code = w.close_reason = w.timestamp_end = None


def response(flow):
    if flow.request.path == "/ws-bad-text":
        flow.websocket = None
        print(name(flow), "no WebSocket any more")
    if flow.request.path == "/index.html":
        flow.websocket = websocket.WebSocketData()
        flow.websocket.messages = [websocket.WebSocketMessage(2, False, b"of a plain flow", 2.0)]


def websocket_message(flow):
    print(name(flow), flow.websocket.messages[-1].content[:20])
