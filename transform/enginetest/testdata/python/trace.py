# Prints the name of every hook and, where there are messages, how many are to be seen.

def show(name, messages):
    print("%s(%d)" % (name, len(messages)))

def requestheaders(flow): print("requestheaders")
def request(flow): print("request")
def responseheaders(flow): print("responseheaders")
def response(flow): print("response")
def error(flow): print("error")

def websocket_start(flow): show("websocket_start", flow.websocket.messages)
def websocket_message(flow): show("websocket_message", flow.websocket.messages)
def websocket_error(flow): show("websocket_error", flow.websocket.messages)
def websocket_end(flow): show("websocket_end", flow.websocket.messages)

def tcp_start(flow): show("tcp_start", flow.messages)
def tcp_message(flow): show("tcp_message", flow.messages)
def tcp_error(flow): show("tcp_error", flow.messages)
def tcp_end(flow): show("tcp_end", flow.messages)

def udp_start(flow): show("udp_start", flow.messages)
def udp_message(flow): show("udp_message", flow.messages)
def udp_error(flow): show("udp_error", flow.messages)
def udp_end(flow): show("udp_end", flow.messages)

def dns_request(flow): print("dns_request")
def dns_response(flow): print("dns_response")
def dns_error(flow): print("dns_error")
