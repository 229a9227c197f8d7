# Edits the message "edit", takes "remove" out and drops "drop", if it is of a WebSocket.
def change(messages):
    m = messages[-1]
    if m.content == b"edit":
        m.content = b"edited"
    elif m.content == b"remove":
        messages.pop()

def websocket_message(flow):
    change(flow.websocket.messages)
    for m in flow.websocket.messages:
        if m.content == b"drop":
            m.drop()

def tcp_message(flow):
    change(flow.messages)

def udp_message(flow):
    change(flow.messages)
