"""What a script changed in a flow: PROTOCOL.md, "Diffs".

Nothing keeps books while a script runs: fields are immutable objects, so a field that is
not the very object of the record was changed.
"""

# How an attribute of a message is compared: place in the record, type; headers, body and
# trailers in a way of their own.
_HEADERS, _BODY, _TRAILERS = "headers", "body", "trailers"


class Layout:
    """The attributes of one kind of message."""

    def __init__(self, name, fields, headers):
        self.name = name
        self.fields = fields
        self.headers = headers
        self.body = headers + 1
        self.trailers = headers + 5
        self.compare = {attr: (place, kind) for attr, place, kind in fields}
        self.compare["headers"] = (headers, _HEADERS)
        self.compare["_body"] = (headers + 1, _BODY)
        self.compare["trailers"] = (headers + 5, _TRAILERS)
        self.places = {attr: place for attr, (place, kind) in self.compare.items()}


REQUEST = Layout("request", (
    ("_host", 0, str), ("_port", 1, int), ("_method", 2, bytes), ("_scheme", 3, bytes),
    ("_authority", 4, bytes), ("_path", 5, bytes), ("_version", 6, bytes),
    ("timestamp_start", 10, float), ("timestamp_end", 11, float),
), 7)
RESPONSE = Layout("response", (
    ("_status", 0, int), ("_reason", 1, bytes), ("_version", 2, bytes),
    ("timestamp_start", 6, float), ("timestamp_end", 7, float),
), 3)

_FLOW = {
    "id": (0, str), "timestamp_created": (1, float), "intercepted": (3, bool), "is_replay": (4, str),
    "marked": (5, str), "comment": (6, str),
}
_CONN = (
    ("id", 0), ("transport_protocol", 1), ("peername", 2), ("sockname", 3), ("address", 4), ("via", 5),
    ("timestamp_start", 6), ("timestamp_tcp_setup", 7), ("timestamp_tls_setup", 8), ("timestamp_end", 9),
    ("tls", 10), ("tls_version", 11), ("cipher", 12), ("cipher_list", 13), ("sni", 14), ("alpn", 15),
    ("alpn_offers", 16), ("certificate_list", 17), ("mitmcert", 18), ("proxy_mode", 19), ("error", 20),
    ("state", 21),
)


class WrongType(TypeError):
    """A script left a value that a flow cannot hold."""


class Raw:
    """The bytes behind a RESULT."""

    __slots__ = ("pieces", "size", "errors")

    def __init__(self):
        self.pieces = []
        self.size = 0
        self.errors = []  # values that cannot be stored; they stay as they were

    def add(self, content, what):
        """Return the value of a body: None, or its place."""
        if content is None:
            return None
        if type(content) is not bytes:
            if not isinstance(content, (bytes, bytearray, memoryview)):
                raise WrongType("%s must be bytes, not %s" % (what, type(content).__name__))
            content = bytes(content)
        place = (self.size, len(content))
        if content:
            self.pieces.append(content)
            self.size += len(content)
        return place


def _plain(value, kind, what):
    """Return value as a plain object of its kind, which marshal can write."""
    if value is None or type(value) is kind:
        return value
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if kind is bool and value in (0, 1):
        return bool(value)
    if kind is int and isinstance(value, int):
        return int(value)
    if kind is str and isinstance(value, str):
        return str.__str__(value)
    if kind is bytes and isinstance(value, (bytes, bytearray)):
        return bytes(value)
    raise WrongType("%s must be %s, not %s" % (what, kind.__name__, type(value).__name__))


def fields_of(headers, what):
    """Return the fields of headers as tuples of bytes."""
    try:
        fields = tuple([_pair(k, v) for k, v in headers.fields])
    except AttributeError:
        raise WrongType("%s must be Headers, not %s" % (what, type(headers).__name__)) from None
    except (TypeError, ValueError) as e:
        raise WrongType("%s cannot be stored: %s" % (what, e)) from None
    return fields


def _pair(name, value):
    """Return a field as two bytes objects."""
    if type(name) is bytes and type(value) is bytes:
        return (name, value)
    if isinstance(name, (bytes, bytearray)) and isinstance(value, (bytes, bytearray)):
        return (bytes(name), bytes(value))
    raise TypeError("a field must be two bytes objects, not %r" % ((name, value),))


def message(m, layout, raw):
    """Return the ops of a received message, None if nothing was changed."""
    d = m.__dict__
    if len(d) == 3:  # _raw, _batch and _index: nothing was touched
        return None
    rec = m._rec
    places = layout.places
    touched = None
    for attr, value in d.items():
        if attr in places:
            old = rec[places[attr]]
            if (
                value is old
                or attr == "headers" and getattr(value, "fields", None) is old
                or attr == "_body" and "_body0" in d and value is d["_body0"]
            ):
                continue
            if touched is None:
                touched = []
            touched.append(attr)
    if touched is None:
        return None
    ops = []
    for attr in touched:
        try:
            _field(m, d, attr, layout, raw, ops)
        except WrongType as e:
            raw.errors.append(e)
    return ops or None


def _field(m, d, attr, layout, raw, ops):
    """Add the op of one attribute, if it was changed."""
    rec = m._rec
    place, kind = layout.compare[attr]
    value = d[attr]
    if kind is _HEADERS:
        old = rec[place]
        if getattr(value, "fields", None) is not old:
            op = _fields(value, old, layout.name)
            if op is not None:
                ops += (place, op)
    elif kind is _BODY:
        if "_body0" not in d or value is not d["_body0"] and value != d["_body0"]:
            ops += (place, raw.add(value, layout.name + ".content"))
    elif kind is _TRAILERS:
        old = rec[place]
        new = None if value is None else fields_of(value, layout.name + ".trailers")
        if new != old:
            ops += (place, new)
    elif value is not rec[place] and value != rec[place]:
        ops += (place, _plain(value, kind, layout.name + "." + attr.lstrip("_")))


def _fields(headers, old, name):
    """Return the op of changed headers: [how many stay at the start, at the end, those between]."""
    try:
        fields = headers.fields
        if type(fields) is not tuple:
            fields = fields_of(headers, name + ".headers")
        n, k = len(old), len(fields)
        if fields[:n] == old:  # some were added behind the old, or none
            if k == n:
                return None
            start, end = n, 0
        else:
            least = min(n, k)
            start = end = 0
            while start < least and fields[start] == old[start]:
                start += 1
            least -= start
            while end < least and fields[k - 1 - end] == old[n - 1 - end]:
                end += 1
        op = [start, end]
        for f, v in fields[start:k - end]:
            op.append(_pair(f, v))
        return op
    except (AttributeError, TypeError, ValueError) as e:
        raise WrongType("%s.headers cannot be stored: %s" % (name, e)) from None


def whole(m, layout, raw):
    """Return all fields of a message that a script made."""
    rec = [None] * (layout.trailers + 1)
    for attr, place, kind in layout.fields:
        rec[place] = _plain(getattr(m, attr), kind, layout.name + "." + attr.lstrip("_"))
    rec[layout.headers] = fields_of(m.headers, layout.name + ".headers")
    rec[layout.body] = raw.add(m._body, layout.name + ".content")
    rec[layout.body + 1] = 0
    rec[layout.trailers] = None if m.trailers is None else fields_of(m.trailers, layout.name + ".trailers")
    return [True] + rec


def _part(flow, m, place, layout, raw):
    """Return the diff of request or response, None if nothing was changed."""
    if m is None:
        return None if flow._rec[place] is None else False
    try:
        if "_raw" in m.__dict__ and m._raw is flow._rec[place]:
            return message(m, layout, raw)
        return whole(m, layout, raw)
    except WrongType as e:
        raw.errors.append(e)
    except AttributeError as e:
        raw.errors.append(WrongType("flow.%s cannot be stored: %s" % (layout.name, e)))
    return None


def http(flow, raw):
    """Return the request's diff, the response's diff and the ops of the flow."""
    d = flow.__dict__
    request = response = None
    more = len(d) - 3  # besides _rec, _batch and _index
    if "request" in d:
        request = _part(flow, d["request"], 3, REQUEST, raw)
        more -= 1
    if "response" in d:
        response = _part(flow, d["response"], 4, RESPONSE, raw)
        more -= 1
    if not more:
        return request, response, ()
    ops = _common(flow, d, raw)
    if "websocket" in d:
        ops += _guarded(_websocket, flow, d["websocket"], raw)
    return request, response, ops


def stream(flow, raw):
    d = flow.__dict__
    ops = _common(flow, d, raw)
    if "messages" in d:
        ops += _guarded(_messages, d["messages"], d.get("_messages0"), raw, False)
    return None, None, ops


def _guarded(find, *args):
    """Return the ops that find finds; what cannot be stored stays as it was."""
    raw = args[2]
    try:
        return find(*args)
    except (WrongType, AttributeError, TypeError, ValueError) as e:
        raw.errors.append(e if type(e) is WrongType else WrongType("messages cannot be stored: %s" % e))
        return ()


def dns(flow, raw):
    d = flow.__dict__
    ops = _common(flow, d, raw)
    for attr, place, op in (("request", 3, 12), ("response", 4, 13)):
        if attr in d:
            m = d[attr]
            if m is None:
                if flow._rec[place] is not None:
                    ops += (op, None)
            else:
                try:
                    new = m._tuple()
                except (AttributeError, TypeError, ValueError) as e:
                    raw.errors.append(WrongType("flow.%s cannot be stored: %s" % (attr, e)))
                    continue
                old = flow._rec[place]
                if old is None or new != _dns_record(old):
                    ops += (op, new)
    return None, None, ops


def _dns_record(blob):
    from marshal import loads
    return loads(blob)


def _common(flow, d, raw):
    ops = []
    for attr in list(d):
        if attr in _COMMON_OPS:
            try:
                ops += _COMMON_OPS[attr](flow._rec, d, attr)
            except (WrongType, AttributeError, ValueError) as e:
                raw.errors.append(WrongType("flow.%s cannot be stored: %s" % (attr, e)) if type(e) is not WrongType else e)
    return ops


def _simple(rec, d, attr):
    op, kind = _FLOW[attr]
    value = d[attr]
    if value == _was(rec, attr, op):
        return ()
    return (op, _plain(value, kind, "flow." + attr))


def _error(rec, d, attr):
    e = d[attr]
    now = None
    if e is not None:
        now = (_plain(e.msg, str, "flow.error.msg"), _plain(e.timestamp, float, "flow.error.timestamp"))
    return () if now == _cold(rec)[0] else (2, now)


def _meta(rec, d, attr):
    value = d[attr]
    if value is None:
        raise WrongType("flow.metadata must be a dictionary, not None")
    return () if value == d.get("_metadata0") else (7, metadata(value))


def _client(rec, d, attr):
    changed = _conn(d[attr], attr)
    return (10, changed) if changed else ()


def _server(rec, d, attr):
    changed = _conn(d[attr], attr)
    return (11, changed) if changed else ()


_EMPTY = (None, False, None, "", "", {}, None)
_COLD = {"intercepted": 1, "is_replay": 2, "marked": 3, "comment": 4}


def _cold(rec):
    if rec[5] is None:
        return _EMPTY
    from marshal import loads
    return loads(rec[5])


def _was(rec, attr, op):
    if op < 2:
        return rec[op + 1]
    return _cold(rec)[_COLD[attr]]


def metadata(value, depth=0):
    """Return value as metadata can be stored."""
    if value is None or type(value) in (bool, int, float, str, bytes):
        return value
    if depth > 100:
        raise WrongType("flow.metadata is nested too deeply")
    if isinstance(value, dict):
        return {_key(k): metadata(v, depth + 1) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [metadata(v, depth + 1) for v in value]
    for kind in (bool, int, float, str, bytes):
        if isinstance(value, kind):
            return kind(value)
    raise WrongType("flow.metadata cannot hold a %s" % type(value).__name__)


def _key(k):
    if isinstance(k, (str, bytes)):
        return k
    raise WrongType("a key of flow.metadata must be str, not %s" % type(k).__name__)


def _websocket(flow, w, raw):
    old = _cold(flow._rec)[6]
    if w is None:
        return [8, None] if old is not None else []
    ops = []
    now = (w.closed_by_client, w.close_code, w.close_reason, w.timestamp_end)
    if now != old:
        ops += (8, (
            now[0], None if now[1] is None else int(now[1]), _plain(now[2], str, "flow.websocket.close_reason"),
            _plain(now[3], float, "flow.websocket.timestamp_end"),
        ))
    if "messages" in w.__dict__:
        ops += _messages(w.messages, flow.__dict__.get("_messages0"), raw, True)
    return ops


def _messages(messages, old, raw, websocket):
    """Return the op for a list of messages; old are the tuples that came, None if they did not."""
    changed = old is None or len(messages) != len(old)
    out = []
    for i, m in enumerate(messages):
        now = _message(m, old, raw, websocket)
        if now != i:
            changed = True
        out.append(now)
    return [9, out] if changed else []


def _message(m, old, raw, websocket):
    """Return a message's number if it is as it was, else all of it."""
    number = _number(m, old)
    if number is not None and m._unchanged():
        return number
    head = (
        m._number() if websocket else 0, bool(m.from_client), _plain(m.timestamp, float, "message.timestamp"),
        bool(m.dropped) if websocket else False, bool(m.injected) if websocket else False,
    )
    d = m.__dict__
    if number is not None and d.get("content") is d.get("_content0"):
        return head[:2] + (None,) + head[2:] + (number,)
    return head[:2] + (raw.add(m.content, "message.content"),) + head[2:]


def _number(m, old):
    """Return which of the flow's messages m is, None if it is new or another flow's."""
    origin = getattr(m, "_origin", None)
    if origin is None or old is None:
        return None
    number, t = origin
    return number if number < len(old) and old[number] is t else None


def _conn(conn, side):
    """Return the ops of a connection, None if nothing was changed."""
    d = conn.__dict__
    made = "_raw" not in d and "_rec" not in d  # by a script
    if not made and len(d) <= 1:
        return None
    rec = (None,) * 22 if made else conn._rec
    ops = []
    for attr, place in _CONN:
        if made:
            try:
                value = getattr(conn, attr)
            except AttributeError:
                continue  # of the other side
        elif attr in d:
            value = d[attr]
            if value is rec[place]:
                continue
        else:
            continue
        value = _conn_value(attr, value, side)
        if made or value != _conn_value(attr, rec[place], side):
            ops += (place, value)
    return ops or None


def _conn_value(attr, value, side):
    what = "flow.%s.%s" % (side, attr)
    if value is None:
        return None
    if attr in ("peername", "sockname", "address"):
        if not isinstance(value, (tuple, list)) or len(value) < 2 or type(value[0]) is not str:
            raise WrongType("%s must be (host, port), not %r" % (what, value))
        return (value[0],) + tuple([int(v) for v in value[1:]])
    if attr == "via":
        return (str(value[0]), tuple(value[1]))
    if attr.startswith("timestamp"):
        return _plain(value, float, what)
    if attr == "tls":
        return bool(value)
    if attr == "state":
        return int(getattr(value, "value", value))
    if attr == "alpn":
        return _plain(value, bytes, what)
    if attr == "alpn_offers":
        return tuple([bytes(v) for v in value])
    if attr == "cipher_list":
        return tuple([str(v) for v in value])
    if attr == "certificate_list":
        return tuple([v if isinstance(v, bytes) else v.to_pem() for v in value])
    if attr == "mitmcert":
        return value if isinstance(value, bytes) else value.to_pem()
    if attr == "proxy_mode":
        return value if isinstance(value, str) else getattr(value, "full_spec", str(value))
    return _plain(value, str, what)


_COMMON_OPS = dict.fromkeys(_FLOW, _simple)
_COMMON_OPS.update(error=_error, metadata=_meta, client_conn=_client, server_conn=_server)

KINDS = (http, stream, stream, dns)
