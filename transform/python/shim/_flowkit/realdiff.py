"""What scripts changed in flows of a real mitmproxy: PROTOCOL.md, "Diffs".

A snapshot is what a flow holds, as plain values in the order of PROTOCOL's records; two of
them are compared, so it does not matter how a change was made.
"""
from .diff import WrongType, fields_of, metadata

_REQUEST = (
    "request", ("host", str), ("port", int), ("method", bytes), ("scheme", bytes), ("authority", bytes), ("path", bytes),
)
_RESPONSE = ("response", ("status_code", int), ("reason", bytes))

_CONN = (
    ("id", 0, str), ("transport_protocol", 1, str), ("peername", 2, "address"), ("sockname", 3, "address"),
    ("address", 4, "address"), ("via", 5, "via"), ("timestamp_start", 6, float), ("timestamp_tcp_setup", 7, float),
    ("timestamp_tls_setup", 8, float), ("timestamp_end", 9, float), ("tls", 10, bool), ("tls_version", 11, str),
    ("cipher", 12, str), ("cipher_list", 13, "texts"), ("sni", 14, str), ("alpn", 15, bytes),
    ("alpn_offers", 16, "list"), ("certificate_list", 17, "certs"), ("mitmcert", 18, "cert"),
    ("proxy_mode", 19, "mode"), ("error", 20, str), ("state", 21, "state"),
)
_MISSING = object()  # an attribute that this mitmproxy's connections do not have

_DNS = (
    ("id", int), ("query", bool), ("op_code", int), ("authoritative_answer", bool), ("truncation", bool),
    ("recursion_desired", bool), ("recursion_available", bool), ("reserved", int), ("response_code", int),
)


class Snapshot:
    """What a flow held before its events."""

    def __init__(self, flow):
        self.errors = []
        take = self._take
        self.type = flow.type
        self.request = self.response = self.websocket = self.messages = None
        self.dns = (None, None)
        if flow.type == "http":
            self.request = take(_message, flow.request, _REQUEST)
            self.response = take(_message, flow.response, _RESPONSE)
            w = flow.websocket
            if w is not None:
                self.websocket = take(_websocket, w)
                self.messages = [(m, take(_websocket_message, m)) for m in w.messages]
        elif flow.type == "dns":
            self.dns = (take(_dns, flow.request, "request"), take(_dns, flow.response, "response"))
        else:
            self.messages = [(m, take(_stream_message, m)) for m in flow.messages]
        self.fields = {place: take(get, flow) for place, get in _FLOW}
        self.conns = (take(_conn, flow.client_conn, "client_conn"), take(_conn, flow.server_conn, "server_conn"))

    def _take(self, get, *args):
        """Return what get finds; what cannot be stored is _WRONG, and stays as it was."""
        try:
            return get(*args)
        except (WrongType, AttributeError, TypeError, ValueError) as e:
            self.errors.append(e if isinstance(e, WrongType) else WrongType("it cannot be stored: %s" % e))
            return _WRONG


_WRONG = object()


def diff(before, flow, raw):
    """Return (request, response, flow) of a diff, None if nothing was changed."""
    after = Snapshot(flow)
    raw.errors.extend(after.errors)
    request = _part(before.request, after.request, _REQUEST, raw)
    response = _part(before.response, after.response, _RESPONSE, raw)
    ops = []
    for place, _ in _FLOW:
        if _changed(before.fields[place], after.fields[place]):
            ops += (place, after.fields[place])
    if _changed(before.websocket, after.websocket):
        ops += (8, after.websocket)
    if after.messages is not None:
        ops += _messages(before.messages or [], after.messages, raw)
    for op, was, now in ((10,) + _pair(before.conns, after.conns, 0), (11,) + _pair(before.conns, after.conns, 1)):
        if was is not _WRONG and now is not _WRONG:
            changed = [x for place, value in now.items() if was.get(place, _WRONG) != value for x in (place, value)]
            if changed:
                ops += (op, changed)
    for i in (0, 1):
        if _changed(before.dns[i], after.dns[i]):
            ops += (12 + i, after.dns[i])
    if request is None and response is None and not ops:
        return None
    return request, response, ops or None


def _pair(a, b, i):
    return a[i], b[i]


def _changed(was, now):
    return now is not _WRONG and was != now


def _kind(value, kind, what):
    """Return value as a plain object of its kind, or None."""
    if value is None or type(value) is kind:
        return value
    if isinstance(value, kind) or kind is float and isinstance(value, int):
        return kind(value)
    if kind is bool and value in (0, 1) or kind is bytes and isinstance(value, bytearray):
        return kind(value)
    raise WrongType("%s must be %s, not %s" % (what, kind.__name__, type(value).__name__))


def _needed(value, kind, what):
    if value is None:
        raise WrongType("%s must be %s, not None" % (what, kind.__name__))
    return _kind(value, kind, what)


# Requests and responses: a list in the order of the record, the body an object of its own.


def _message(m, layout):
    if m is None:
        return None
    name, data = layout[0], m.data
    out = [_needed(getattr(data, attr), kind, "%s.%s" % (name, attr)) for attr, kind in layout[1:]]
    out.append(_needed(data.http_version, bytes, name + ".http_version"))
    out.append(fields_of(data.headers, name + ".headers"))
    out.append(_kind(data.content, bytes, name + ".content"))
    out.append(0)
    out.append(_kind(data.timestamp_start, float, name + ".timestamp_start"))
    out.append(_kind(data.timestamp_end, float, name + ".timestamp_end"))
    out.append(None if data.trailers is None else fields_of(data.trailers, name + ".trailers"))
    return out


def _part(was, now, layout, raw):
    if now is _WRONG or was == now:
        return None
    if now is None:
        return False
    headers = len(layout)
    body = headers + 1
    if was is None or was is _WRONG:
        return [True] + now[:body] + [raw.add(now[body], layout[0] + ".content")] + now[body + 1:]
    ops = []
    for place, value in enumerate(now):
        if value == was[place]:
            continue
        if place == headers:
            value = [0, 0] + list(value)
        elif place == body:
            value = raw.add(value, layout[0] + ".content")
        ops += (place, value)
    return ops


# What all flows have.


def _error(flow):
    e = flow.error
    return None if e is None else (_kind(e.msg, str, "flow.error.msg"), _kind(e.timestamp, float, "flow.error.timestamp"))


def _attribute(name, kind):
    return lambda flow: _kind(getattr(flow, name, None), kind, "flow." + name)


_FLOW = (
    (0, _attribute("id", str)), (1, _attribute("timestamp_created", float)), (2, _error),
    (3, _attribute("intercepted", bool)), (4, _attribute("is_replay", str)), (5, _attribute("marked", str)),
    (6, _attribute("comment", str)), (7, lambda flow: metadata(flow.metadata)),
)


def _websocket(w):
    return (
        _kind(w.closed_by_client, bool, "flow.websocket.closed_by_client"),
        _kind(w.close_code, int, "flow.websocket.close_code"),
        _kind(w.close_reason, str, "flow.websocket.close_reason"),
        _kind(w.timestamp_end, float, "flow.websocket.timestamp_end"),
    )


# Messages: (opcode, from_client, content, time, dropped, injected).


def _websocket_message(m):
    return (
        int(m.type), bool(m.from_client), _kind(m.content, bytes, "message.content"),
        _kind(m.timestamp, float, "message.timestamp"), bool(m.dropped), bool(getattr(m, "injected", False)),
    )


def _stream_message(m):
    return (
        0, bool(m.from_client), _kind(m.content, bytes, "message.content"),
        _kind(m.timestamp, float, "message.timestamp"), False, False,
    )


def _messages(was, now, raw):
    """Return the op of a list of messages: numbers of old ones, and changed and new ones."""
    numbers = {id(m): i for i, (m, _) in enumerate(was)}
    out = []
    for m, t in now:
        i = numbers.get(id(m))
        if t is _WRONG:
            if i is not None:
                out.append(i)
        elif i is not None and was[i][1] == t:
            out.append(i)
        elif i is not None and was[i][1] is not _WRONG and was[i][1][2] == t[2]:
            out.append(t[:2] + (None,) + t[3:] + (i,))
        else:
            out.append(t[:2] + (raw.add(t[2], "message.content"),) + t[3:])
    return () if out == list(range(len(was))) else (9, out)


# Connections: a dictionary by place.


def _conn(c, side):
    out = {}
    if c is None:
        return out
    for attr, place, kind in _CONN:
        value = getattr(c, attr, _MISSING)
        if value is not _MISSING:
            out[place] = _conn_value(value, kind, "flow.%s.%s" % (side, attr))
    return out


def _conn_value(value, kind, what):
    if value is None:
        return None
    if isinstance(kind, type):
        return _kind(value, kind, what)
    if kind == "address":
        if len(value) < 2 or not isinstance(value[0], str):
            raise WrongType("%s must be (host, port), not %r" % (what, value))
        return (value[0],) + tuple([int(v) for v in value[1:]])
    if kind == "via":
        return (str(value[0]), tuple(value[1]))
    if kind == "list":
        return tuple([bytes(v) for v in value])
    if kind == "texts":
        return tuple([str(v) for v in value])
    if kind == "certs":
        return tuple([c.to_pem() for c in value])
    if kind == "cert":
        return value.to_pem()
    if kind == "mode":
        return getattr(value, "full_spec", str(value))
    return int(value.value)


def _dns(m, side):
    if m is None:
        return None
    what = "flow.%s." % side
    out = [_kind(getattr(m, attr), kind, what + attr) for attr, kind in _DNS]
    out.append(tuple([(str(q.name), int(q.type), int(q.class_)) for q in m.questions]))
    for records in (m.answers, m.authorities, m.additionals):
        out.append(tuple([(str(r.name), int(r.type), int(r.class_), int(r.ttl), bytes(r.data)) for r in records]))
    out.append(_kind(m.timestamp, float, what + "timestamp"))
    return tuple(out)
