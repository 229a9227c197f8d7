"""Which messages a script sees at each hook, with what it removed or added."""
from _show import name

from mitmproxy import tcp, websocket


def seen(event, flow, messages):
    print(event, name(flow), [m.content[:12] for m in messages])


def tcp_start(flow):
    seen("tcp_start", flow, flow.messages)
    flow.messages.append(tcp.TCPMessage(True, b"early", 1.0))


def tcp_message(flow):
    seen("tcp_message", flow, flow.messages)
    if len(flow.messages) > 3:
        flow.messages = []


def tcp_end(flow):
    seen("tcp_end", flow, flow.messages)


tcp_error = tcp_end


def websocket_start(flow):
    seen("websocket_start", flow, flow.websocket.messages)
    flow.websocket.messages = [websocket.WebSocketMessage(1, True, b"early", 1.0)]


def websocket_message(flow):
    seen("websocket_message", flow, flow.websocket.messages)
    if len(flow.websocket.messages) > 3:
        del flow.websocket.messages[1:]


def websocket_end(flow):
    seen("websocket_end", flow, flow.websocket.messages)
