"""TCP messages changed, removed, added and moved."""
from _show import name

from mitmproxy import tcp


def tcp_start(flow):
    if not flow.messages and flow.marked:
        flow.messages.append(tcp.TCPMessage(False, b"added at the start", 1600000000.0))


def tcp_message(flow, count=[0]):
    count[0] += 1
    m = flow.messages[-1]
    edit = count[0] % 8
    if edit == 0:
        m.content = m.content.replace(b"cat", b"dog")
    elif edit == 1:
        m.from_client = not m.from_client
    elif edit == 2:
        m.timestamp = 4.25
    elif edit == 3:
        flow.messages.pop()
    elif edit == 4:
        flow.messages.append(tcp.TCPMessage(True, b"appended", 1600000001.0))
    elif edit == 5:
        flow.messages.insert(0, tcp.TCPMessage(True, b"first", 1600000002.0))
    elif edit == 6:
        flow.messages[-1] = tcp.TCPMessage(m.from_client, b"replaced", m.timestamp)
    print(name(flow), edit, [len(m.content) for m in flow.messages[-4:]])


def tcp_end(flow):
    print(name(flow), len(flow.messages))
    if len(flow.messages) > 20:
        flow.messages.sort(key=lambda m: m.content)
    if flow.client_conn.tls:
        flow.messages = flow.messages[:1] * 3


def tcp_error(flow):
    flow.messages.clear()
