"""The order of events of one flow, as generators: PROTOCOL's Go twin is replay.Order.

Each yields the names of hooks that somebody listens to (`want`, a set or dictionary).
Conditions are asked between events, so what a script sets is announced.
"""


def _has(flow, name, place):
    d = flow.__dict__
    return (d[name] if name in d else flow._rec[place]) is not None


def http(flow, want, classic):
    if _has(flow, "request", 3):
        if "requestheaders" in want:
            yield "requestheaders"
        if "request" in want:
            yield "request"
    if _has(flow, "response", 4):
        if "responseheaders" in want:
            yield "responseheaders"
        if "response" in want:
            yield "response"
    d = flow.__dict__
    if "_rec" not in d or d["_rec"][5] is not None or "error" in d or "websocket" in d:
        for hook in http_end(flow, want, classic):
            yield hook


def http_end(flow, want, classic):
    """What comes behind the response: of a flow that has or got an error or a WebSocket."""
    if classic and flow.error is not None and "error" in want:
        yield "error"
    if flow.websocket is not None:
        for hook in _messages(flow.websocket, want, "websocket_start", "websocket_message"):
            yield hook
        if classic and flow.error is not None and "websocket_error" in want:
            yield "websocket_error"
        if "websocket_end" in want:
            yield "websocket_end"
    elif not classic and flow.error is not None and "error" in want:
        yield "error"


def _messages(holder, want, start, message):
    """Announce the messages of holder one by one, the later ones not yet there."""
    if start not in want and message not in want:
        return
    coming = holder.messages
    holder.messages = []
    if start in want:
        yield start
    if message not in want:
        holder.messages.extend(coming)
        return
    for m in list(coming):
        holder.messages.append(m)
        yield message


def tcp(flow, want, classic):
    return _stream(flow, want, classic, "tcp_start", "tcp_message", "tcp_end", "tcp_error")


def udp(flow, want, classic):
    return _stream(flow, want, classic, "udp_start", "udp_message", "udp_end", "udp_error")


def _stream(flow, want, classic, start, message, end, error):
    for hook in _messages(flow, want, start, message):
        yield hook
    if flow.error is not None:
        if error in want:
            yield error
        if not classic:
            return
    if end in want:
        yield end


def dns(flow, want, classic):
    if "dns_request" in want and flow.request is not None:
        yield "dns_request"
    if "dns_response" in want and flow.response is not None:
        yield "dns_response"
    if "dns_error" in want and flow.error is not None:
        yield "dns_error"


KINDS = (http, tcp, udp, dns)

HOOKS = (
    ("requestheaders", "request", "responseheaders", "response", "error",
     "websocket_start", "websocket_message", "websocket_end", "websocket_error"),
    ("tcp_start", "tcp_message", "tcp_end", "tcp_error"),
    ("udp_start", "udp_message", "udp_end", "udp_error"),
    ("dns_request", "dns_response", "dns_error"),
)
