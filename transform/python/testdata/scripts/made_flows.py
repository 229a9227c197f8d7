"""Flows that a script makes itself, written as a dump and read back."""
import io as stdio

from _show import attempt, name, show

from mitmproxy import connection, dns, flow, http, io, tcp, websocket

made = []


def conns(n):
    c = connection.Client(("192.0.2.%d" % n, n), ("127.0.0.1", 8080), 1.5)
    s = connection.Server(("made.example", 443))
    c.id, s.id = "client-%d" % n, "server-%d" % n
    return c, s


def running():
    for n, cls in enumerate((http.HTTPFlow, tcp.TCPFlow, dns.DNSFlow)):
        f = cls(*conns(n))
        f.id = "made-%d" % n
        f.timestamp_created = 2.5
        print(f.live, f.killable, f.type, f.metadata, f.comment, f.marked, f.is_replay, f.intercepted)
        made.append(f)
    h, t, d = made
    h.request = http.Request("made.example", 443, b"GET", b"https", b"", b"/", b"HTTP/1.1", http.Headers(host="made.example"), b"", None, 3.0, 4.0)
    print(h.timestamp_start, t.timestamp_start, attempt(lambda: h.response), attempt(lambda: h.websocket), repr(h)[:30])
    h.websocket = websocket.WebSocketData()
    h.websocket.messages.append(websocket.WebSocketMessage(1, True, b"made", 5.0))
    t.messages.append(tcp.TCPMessage(True, b"made", 5.0))
    d.request = dns.Message(
        timestamp=6.0, id=1, query=True, op_code=0, authoritative_answer=False, truncation=False, recursion_desired=True, recursion_available=False,
        reserved=0, response_code=0, questions=[dns.Question("made.example", 1, 1)], answers=[], authorities=[], additionals=[])
    h.error = flow.Error("made", 7.0)
    live = http.HTTPFlow(*conns(9), live=True)
    live.request = h.request.copy()
    print(live.live, live.killable, attempt(live.kill), live.error, live.killable)
    again = flow.Flow.from_state(h.get_state())
    print(again.id, again.request.url, again.websocket.messages, show(again.get_state()) == show(h.get_state()), attempt(flow.Flow.from_state, {"type": "nosuch"}), attempt(flow.Flow.from_state, {}))
    f = stdio.BytesIO()
    w = io.FlowWriter(f)
    for x in made:
        w.add(x)
    f.seek(0)
    for x in io.FlowReader(f).stream():
        print(x.type, x.id, x.client_conn.id, x.server_conn.address, x.error, x.timestamp_created)
        print(show(x.request.get_state()["path"]) if x.type == "http" else "", x.websocket.messages if x.type == "http" else "", x.messages if x.type == "tcp" else "", x.request.questions if x.type == "dns" else "")


def request(flow):
    if flow.request.path == "/index.html":
        flow.request = made[0].request
        flow.client_conn = made[0].client_conn
        flow.error = made[0].error
        print(name(flow), flow.request.url)
