"""Attributes of flows of every type."""
from _show import attempt, get, lines, name, show

import mitmproxy.flow
from mitmproxy import dns, http, tcp


def each(flow):
    lines(flow, *get(flow, """id type live intercepted marked is_replay metadata comment timestamp_created timestamp_start
        error killable"""), flow.modified())
    print(name(flow), type(flow).__name__, isinstance(flow, mitmproxy.flow.Flow), [isinstance(flow, c) for c in (http.HTTPFlow, tcp.TCPFlow, dns.DNSFlow)])
    if flow.error:
        e = flow.error
        print(name(flow), str(e).encode(), repr(e).encode(), show(e.msg), e.timestamp, e.get_state(), type(e).__name__, isinstance(e, mitmproxy.flow.Error))
    print(name(flow), attempt(lambda: flow.nosuch), flow == flow, flow == flow.copy(), len({flow, flow}))
    text = repr(flow)
    print(name(flow), ascii(text[:60] if flow.type == "http" else text[:9] if flow.type == "dns" else text))


request = tcp_start = dns_request = each


def tcp_error(flow):
    print(name(flow), "tcp_error", flow.error)
