"""WebSocket messages changed, dropped, removed, injected and added."""
from _show import attempt, name

from mitmproxy import websocket


def websocket_start(flow):
    if len(flow.request.path) == 8:  # /ws-open, /ws-none, /ws-many
        flow.websocket.messages.append(websocket.WebSocketMessage(1, True, b"added at the start", 1600000000.0, False, True))


def websocket_message(flow, count=[0]):
    count[0] += 1
    m = flow.websocket.messages[-1]
    edit = count[0] % 12
    if edit == 0:
        m.content = m.content.replace(b"cat", b"dog")
    elif edit == 1 and m.is_text:
        m.text = "t\u00e9xt " + (m.text if m.content.isascii() else "")
    elif edit == 2:
        m.drop()
    elif edit == 3:
        m.kill()
    elif edit == 4:
        m.injected = True
    elif edit == 5:
        del flow.websocket.messages[-1]
    elif edit == 6:
        m.from_client = not m.from_client
        m.timestamp = 9.5
    elif edit == 7:
        m.dropped = False
    elif edit == 8:
        flow.websocket.messages.append(websocket.WebSocketMessage(2, False, b"\xff appended", 1600000001.0))
    elif edit == 9:
        flow.websocket.messages.insert(0, websocket.WebSocketMessage(1, False, b"first", 1600000002.0))
    elif edit == 10:
        m.type = 2
    else:
        print(name(flow), attempt(setattr, m, "text", "x"), attempt(setattr, m, "content", b"only seen"), attempt(lambda: m.is_text))
    print(name(flow), edit, len(flow.websocket.messages), [len(m.content) for m in flow.websocket.messages[-3:]])


def websocket_end(flow):
    print(name(flow), [ascii(repr(m))[:40] for m in flow.websocket.messages])
    print(attempt(websocket.WebSocketMessage, 1, True, b"x"), attempt(websocket.WebSocketMessage, 3, True, b"x"), attempt(websocket.WebSocketMessage, 1, True, "str"))
