"""Copies of flows and messages do not touch what they were made of."""
from _show import attempt, changes, name


def each(flow):
    c = flow.copy()
    print(name(flow), type(c).__name__, c.id != flow.id, c == flow, c.live, c.error, attempt(c.kill), *changes(flow.get_state(), {**c.get_state(), "id": flow.id}))
    c.comment = "copy"
    c.metadata["copy"] = 1
    c.client_conn.sni = "copy"
    if flow.type == "http":
        c.request.headers["x"] = "copy"
        c.request.path = "/copy"
        if c.response:
            c.response.content = b"copy"
            c.response.headers.clear()
        r = flow.request.copy()
        r.headers.clear()
        r.content = b"x"
        h = flow.request.headers.copy()
        h["only"] = "here"
        print(name(flow), r.data is not flow.request.data, flow.request.headers.get("only"), type(h).__name__, r == flow.request)
    elif flow.type == "tcp":
        c.messages.append("anything")
        if flow.messages:
            m = flow.messages[0].copy()
            m.content = b"copy"
    else:
        c.request.questions[0].name = "copy.example"
        d = flow.request.copy()
        d.id = 5
        print(name(flow), d.questions[0].name, d.id, flow.request.id != 5)
    print(name(flow), flow.comment != "copy", "copy" in flow.metadata, flow.client_conn.sni)


request = tcp_end = dns_request = each


def response(flow):
    flow.metadata["copied"] = ascii(flow.copy().request.url)


def websocket_end(flow):
    c = flow.copy()
    c.websocket.messages[:] = []
    c.websocket.close_code = 5
    print("ws", name(flow), len(flow.websocket.messages), flow.websocket.close_code)
