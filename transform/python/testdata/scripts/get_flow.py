"""Attributes of flows of every type."""
from _show import attempt, get, name, show

import mitmproxy.flow
from mitmproxy import dns, http, tcp


def each(flow):
    print(name(flow), *get(flow, """id type live intercepted marked is_replay metadata comment timestamp_created timestamp_start
        error killable"""), flow.modified(), sep="\n  ")
    print("  ", type(flow).__name__, isinstance(flow, mitmproxy.flow.Flow), [isinstance(flow, c) for c in (http.HTTPFlow, tcp.TCPFlow, dns.DNSFlow)])
    if flow.error:
        e = flow.error
        print("  ", str(e).encode(), repr(e).encode(), show(e.msg), e.timestamp, e.get_state(), type(e).__name__, isinstance(e, mitmproxy.flow.Error))
    print("  ", attempt(lambda: flow.nosuch), flow == flow, flow == flow.copy(), len({flow, flow}))
    text = repr(flow)
    print("  ", ascii(text) if flow.type != "http" else ascii(text[:60]))


request = tcp_start = dns_request = each


def tcp_error(flow):
    print(name(flow), "tcp_error", flow.error)
