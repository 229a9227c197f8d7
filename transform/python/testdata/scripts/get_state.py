"""The states of flows and of their parts, in the order of their keys."""
import mitmproxy.flow
from _show import name, show


def part(flow, what, state):
    for k, v in state.items():
        print(name(flow), what, k, show(v))


def each(flow):
    state = flow.get_state()
    print(name(flow), list(state))
    part(flow, "flow", state)
    part(flow, "client", flow.client_conn.get_state())
    part(flow, "server", flow.server_conn.get_state())
    for what in ("request", "response"):
        if getattr(flow, what, None):
            part(flow, what, getattr(flow, what).get_state())
    again = mitmproxy.flow.Flow.from_state(state)
    print(name(flow), type(again).__name__, again.get_state() == state, again == flow, again.id == flow.id, again.live)


request = tcp_end = tcp_error = dns_request = websocket_end = each
