"""Flows kept to the end: read, changed and compared in done."""
from _show import name, show

kept = []
bodies = []


def request(flow):
    kept.append(flow)
    bodies.append(flow.request)


def tcp_start(flow):
    kept.append(flow)


def done():
    print(len(kept), len({f.id for f in kept}))
    for flow in kept[::5]:
        if flow.type == "http":
            print(name(flow), flow.request.url.encode("ascii", "replace"), show(flow.request.get_content(strict=False)), flow.response and show(flow.response.get_content(strict=False)),
                  flow.request is bodies[kept.index(flow)], flow.client_conn.peername, show(flow.get_state()))
        else:
            print(name(flow), [m.content[:10] for m in flow.messages], flow.error)
    for flow in kept:
        if flow.type == "http" and flow.websocket:
            print(name(flow), [m.content[:10] for m in flow.websocket.messages])
