# When all is over, makes the first message upper case and takes out the second.
def change(messages):
    messages[0].content = messages[0].content.upper()
    messages.pop(1)

def websocket_end(flow):
    change(flow.websocket.messages)

def tcp_end(flow):
    change(flow.messages)

def udp_end(flow):
    change(flow.messages)
