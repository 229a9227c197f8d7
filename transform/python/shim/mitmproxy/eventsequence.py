"""The events of a saved flow, in the order in which they would have happened."""
from mitmproxy import hooks


def _iterate_http(f):
    if f.request:
        yield hooks.HttpRequestHeadersHook(f)
        yield hooks.HttpRequestHook(f)
    if f.response:
        yield hooks.HttpResponseHeadersHook(f)
        yield hooks.HttpResponseHook(f)
    if f.websocket:
        yield from _iterate_messages(
            f,
            f.websocket,
            hooks.WebsocketStartHook,
            hooks.WebsocketMessageHook,
        )
        yield hooks.WebsocketEndHook(f)
    elif f.error:
        yield hooks.HttpErrorHook(f)


def _iterate_messages(f, holder, start, message):
    """The start, then a message at a time: at its event, a message is the last that there is."""
    waiting, holder.messages = holder.messages, []
    yield start(f)
    for one in waiting:
        holder.messages.append(one)
        yield message(f)


def _iterate_tcp(f):
    yield from _iterate_messages(f, f, hooks.TcpStartHook, hooks.TcpMessageHook)
    yield hooks.TcpErrorHook(f) if f.error else hooks.TcpEndHook(f)


def _iterate_udp(f):
    yield from _iterate_messages(f, f, hooks.UdpStartHook, hooks.UdpMessageHook)
    yield hooks.UdpErrorHook(f) if f.error else hooks.UdpEndHook(f)


def _iterate_dns(f):
    if f.request:
        yield hooks.DnsRequestHook(f)
    if f.response:
        yield hooks.DnsResponseHook(f)
    if f.error:
        yield hooks.DnsErrorHook(f)


_iterate_map = {
    "http": _iterate_http,
    "tcp": _iterate_tcp,
    "udp": _iterate_udp,
    "dns": _iterate_dns,
}


def iterate(f):
    """The events of a flow, lazily: what an addon changes at one event decides on the next."""
    try:
        events = _iterate_map[f.type]
    except (AttributeError, KeyError):
        raise TypeError("Unknown flow type: %s" % type(f).__name__) from None
    yield from events(f)


def __getattr__(name):
    if name == "Event":
        return hooks.Hook
    if name == "layers":
        from mitmproxy.proxy import layers

        return layers
    raise AttributeError("module %r has no attribute %r" % (__name__, name))
