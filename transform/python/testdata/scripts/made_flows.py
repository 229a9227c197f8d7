"""Flows that a script makes itself, written to a dump of its own and replayed nowhere."""
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
        print(attempt(f.get_state) if n != 2 else "", f.live, f.killable, f.type, f.metadata, f.comment, f.marked, f.is_replay, f.intercepted)
        made.append(f)
    h, t, d = made
    h.request = http.Request("made.example", 443, b"GET", b"https", b"", b"/", b"HTTP/1.1", http.Headers(host="made.example"), b"", None, 3.0, 4.0)
    print(h.timestamp_start, t.timestamp_start, attempt(lambda: h.response), attempt(lambda: h.websocket), repr(h)[:30])
    h.websocket = websocket.WebSocketData()
    h.websocket.messages.append(websocket.WebSocketMessage(1, True, b"made", 5.0))
    t.messages.append(tcp.TCPMessage(True, b"made", 5.0))
    d.request = dns.Message(6.0, 1, True, 0, False, False, True, False, 0, 0, [dns.Question("made.example", 1, 1)], [], [], [])
    h.error = flow.Error("made", 7.0)
    live = http.HTTPFlow(*conns(9), live=True)
    live.request = h.request.copy()
    print(live.live, live.killable, attempt(live.kill), live.error, live.killable)
    again = flow.Flow.from_state(h.get_state())
    print(again.id, again.request.url, again.websocket.messages, show(again.get_state()) == show(h.get_state()), attempt(flow.Flow.from_state, {"type": "nosuch"}), attempt(flow.Flow.from_state, {}))
    with open("made.mitm", "wb") as f:
        w = io.FlowWriter(f)
        for x in made:
            w.add(x)


def request(flow):
    if flow.request.path == "/index.html":
        flow.request = made[0].request
        flow.client_conn = made[0].client_conn
        flow.error = made[0].error
        print(name(flow), flow.request.url)
