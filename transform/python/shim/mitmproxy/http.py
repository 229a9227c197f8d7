"""HTTP flows: requests, responses and their headers."""

import time
from _collections_abc import ItemsView
from marshal import loads

from _flowkit.record import Field, Lazy
from mitmproxy.coretypes.multidict import MultiDict, MultiDictView
from mitmproxy.coretypes.serializable import Serializable
from mitmproxy.flow import Flow
from mitmproxy.net import encoding
from mitmproxy.net.http import url
from mitmproxy.net.http.headers import assemble_content_type, infer_content_encoding, parse_content_type

_new = object.__new__
_NOTHING = object()


def _always_bytes(x):
    """Returns what a script gave as the name or value of a header as bytes."""
    if isinstance(x, bytes):
        return x
    if isinstance(x, str):
        return x.encode("utf-8", "surrogateescape")
    raise TypeError("Expected str or bytes, but got %s." % type(x).__name__)


def _native(x):
    """Returns bytes as text; what is not UTF-8 of them becomes surrogates."""
    return x.decode("utf-8", "surrogateescape")


# What names of headers are compared by. Scripts ask for the same few again and again.
_lowered = {}


def _lower(name):
    low = _always_bytes(name).lower()
    if len(_lowered) >= 1024:
        _lowered.clear()
    _lowered[name] = low
    return low


class _HeaderItems(ItemsView):
    """The items of headers, in one pass over the fields."""

    __slots__ = ()

    def __iter__(self):
        return iter(self._mapping._folded())


class Headers(MultiDict):
    """The headers of a message, or its trailers.

    Names are compared without regard to case; case and order are kept. `[]` gives all
    values of a name, joined by ", ". Names and values are text, or may be given as bytes;
    what is not UTF-8 of them has surrogates in the text. `fields` is what is there, as bytes:

    >>> h = Headers([(b"Host", b"example.com"), (b"Accept", b"a")], content_type="x/y")
    >>> h["host"], h.fields[2]
    ('example.com', (b'content-type', b'x/y'))

    With keyword arguments, `_` stands for `-`.
    """

    def __init__(self, fields=(), **headers):
        fields = tuple([tuple(f) for f in fields])
        for name, value in fields:
            if not isinstance(name, bytes) or not isinstance(value, bytes):
                raise TypeError("Header fields must be bytes.")
        self.fields = fields
        for name, value in headers.items():
            self[name.replace("_", "-")] = value

    @staticmethod
    def _reduce_values(values):
        return ", ".join(values)

    @staticmethod
    def _kconv(key):
        return key.lower()

    # In the loops below names of another length are passed over, which is cheaper than
    # making them lower case.

    def __getitem__(self, key):
        try:
            low = _lowered[key]
        except KeyError:
            low = _lower(key)
        size = len(low)
        found = None
        for name, value in self.fields:
            if len(name) == size and name.lower() == low:
                found = value if found is None else b"%b, %b" % (found, value)
        if found is None:
            raise KeyError(key)
        return found.decode("utf-8", "surrogateescape")

    def get(self, key, default=None):
        """Returns the values of a name, joined by ", ", or default if there are none."""
        try:
            low = _lowered[key]
        except KeyError:
            low = _lower(key)
        size = len(low)
        found = None
        for name, value in self.fields:
            if len(name) == size and name.lower() == low:
                found = value if found is None else b"%b, %b" % (found, value)
        if found is None:
            return default
        return found.decode("utf-8", "surrogateescape")

    def __contains__(self, key):
        try:
            low = _lowered[key]
        except KeyError:
            low = _lower(key)
        size = len(low)
        for name, _ in self.fields:
            if len(name) == size and name.lower() == low:
                return True
        return False

    def __setitem__(self, key, value):
        try:
            low = _lowered[key]
        except KeyError:
            low = _lower(key)
        value = value.encode("utf-8", "surrogateescape") if type(value) is str else _always_bytes(value)
        size = len(low)
        fields = self.fields
        for name, _ in fields:
            if len(name) == size and name.lower() == low:
                self._replace(low, key, [value])
                return
        key = key.encode("utf-8", "surrogateescape") if type(key) is str else _always_bytes(key)
        self.fields = fields + ((key, value),)

    def _replace(self, low, key, values):
        """Gives the name the values; fields that stay what they are stay the same objects."""
        fields = self.fields
        size, used = len(low), 0
        new = []
        for field in fields:
            name = field[0]
            if len(name) == size and name.lower() == low:
                if used == len(values):
                    continue
                value = values[used]
                used += 1
                if value != field[1]:
                    field = (name, value)
            new.append(field)
        if used < len(values):
            key = _always_bytes(key)
            new += [(key, value) for value in values[used:]]
        new = tuple(new)
        if new != fields:
            self.fields = new

    def __delitem__(self, key):
        fields = self.fields
        kept = self._without(key)
        if len(kept) == len(fields):
            raise KeyError(_always_bytes(key))
        self.fields = kept

    def _without(self, key):
        try:
            low = _lowered[key]
        except KeyError:
            low = _lower(key)
        size = len(low)
        return tuple([f for f in self.fields if len(f[0]) != size or f[0].lower() != low])

    def pop(self, key, default=_NOTHING):
        """Removes a name and returns its values, joined by ", ", or default if it has none."""
        value = self.get(key)
        if value is None:
            if default is _NOTHING:
                raise KeyError(key)
            return default
        self.fields = self._without(key)
        return value

    def clear(self):
        """Removes all headers."""
        if self.fields:
            self.fields = ()

    def __iter__(self):
        seen = set()
        for name, _ in self.fields:
            low = name.lower()
            if low not in seen:
                seen.add(low)
                yield name.decode("utf-8", "surrogateescape")

    def __len__(self):
        return len({name.lower() for name, _ in self.fields})

    def __bool__(self):
        return bool(self.fields)

    def __bytes__(self):
        return b"".join([b"%b: %b\r\n" % field for field in self.fields])

    def _folded(self):
        """Returns the (name, values joined by ", ") pairs."""
        found = {}
        for name, value in self.fields:
            low = name.lower()
            if low in found:
                first, before = found[low]
                found[low] = first, b"%b, %b" % (before, value)
            else:
                found[low] = name, value
        return [(_native(name), _native(value)) for name, value in found.values()]

    def get_all(self, name) -> "list[str]":
        """Returns the list of all values of a name, which may be empty."""
        try:
            low = _lowered[name]
        except KeyError:
            low = _lower(name)
        size = len(low)
        return [_native(value) for n, value in self.fields if len(n) == size and n.lower() == low]

    def set_all(self, name, values):
        """Replaces the values of a name. Each keeps the place and the name of the one it is for."""
        values = [_always_bytes(value) for value in values]
        try:
            low = _lowered[name]
        except KeyError:
            low = _lower(name)
        self._replace(low, name, values)

    def add(self, key, value):
        """Adds a header behind all others, also if the name is there already."""
        self.fields = self.fields + ((_always_bytes(key), _always_bytes(value)),)

    def insert(self, index, key, value):
        """Inserts a header before the field at index."""
        super().insert(index, _always_bytes(key), _always_bytes(value))

    def keys(self, multi=False):
        """Returns the names; with multi, one for each field."""
        return iter([_native(name) for name, _ in self.fields]) if multi else iter(self)

    def values(self, multi=False):
        """Returns the values; with multi, one for each field, else joined for each name."""
        if multi:
            return iter([_native(value) for _, value in self.fields])
        return iter([value for _, value in self._folded()])

    def items(self, multi=False):
        """Returns the (name, value) pairs; with multi, one for each field."""
        if multi:
            return iter([(_native(name), _native(value)) for name, value in self.fields])
        return _HeaderItems(self)

    def copy(self):
        """Returns headers of the same fields."""
        return _headers(self.fields)


def _headers(fields):
    """Returns headers of fields that are known to be tuples of bytes."""
    headers = _new(Headers)
    headers.fields = fields
    return headers


def _given_headers(headers, dictionaries=False):
    """Returns the headers that a script gave to a constructor."""
    if isinstance(headers, Headers):
        return headers
    if dictionaries:
        if isinstance(headers, dict) or hasattr(headers, "items"):
            return Headers([(_always_bytes(k), _always_bytes(v)) for k, v in headers.items()])
        if not hasattr(headers, "__iter__"):
            raise TypeError("Expected headers to be an iterable or dict, but is %s." % type(headers).__name__)
    return Headers(headers)


def _checked(name, value, *types):
    if not isinstance(value, types):
        raise TypeError("Expected %s for %s, but got %s." % (types[0].__name__, name, type(value).__name__))
    return value


def _raw(name, value):
    """Returns what a constructor takes as bytes or ASCII text as bytes."""
    return value.encode("ascii", "strict") if isinstance(value, str) else _checked(name, value, bytes)


def _settable(name, value):
    """Returns what an attribute takes as bytes or text as bytes."""
    if type(value) is str:
        return value.encode("utf-8", "surrogateescape")
    if value is None:
        raise TypeError("%s must be str or bytes, not None" % name)
    return _always_bytes(value)


class _ReceivedRecord:
    """The record of a received message."""

    __slots__ = ()

    def __get__(self, obj, owner=None):
        if obj is None:
            return self
        try:
            raw = obj._raw
        except AttributeError:
            raise AttributeError("%s object has lost a field" % type(obj).__name__) from None
        record = obj._rec = loads(raw)
        return record


class _ReceivedHeaders:
    """The headers of a received message: a Lazy that is faster."""

    __slots__ = ("place",)

    def __init__(self, place):
        self.place = place

    def __get__(self, obj, owner=None):
        if obj is None:
            return self
        headers = obj.headers = _new(Headers)
        headers.fields = obj._rec[self.place]
        return headers


# Charsets that no content-encoding is called like.
_COMMON = frozenset(("utf-8", "utf8", "latin-1", "UTF-8", "iso-8859-1", "utf-8-sig"))


class Message(Serializable):
    """What requests and responses have in common.

    The raw fields have names with an underscore; `data` has them under mitmproxy's names.
    """

    _rec = _ReceivedRecord()

    stream = False
    """Whether the body was to be passed on piece by piece. Saved bodies are whole: without effect."""

    # The names of the raw fields: those of `data`, in the order of the state, and ours.
    _FIELDS = {}

    def _init(self, http_version, headers, content, trailers, timestamp_start, timestamp_end):
        if isinstance(content, str):
            raise ValueError("Content must be bytes, not str")
        self._version = _raw("http_version", http_version)
        self.headers = _given_headers(headers)
        self._body = None if content is None else _checked("content", content, bytes)
        self.trailers = None if trailers is None else _given_headers(trailers)
        # Unlike mitmproxy's, flows of other sources may not know when they began.
        for name, value in (("timestamp_start", timestamp_start), ("timestamp_end", timestamp_end)):
            setattr(self, name, None if value is None else _checked(name, value, float, int))

    @property
    def data(self) -> "MessageData":
        """The raw fields under mitmproxy's names, as they are now; what is set on it is set here."""
        return self._DATA._of(self)

    def get_state(self):
        state = {name: getattr(self, attr) for name, attr in self._FIELDS.items()}
        state["headers"] = state["headers"].get_state()
        if state["trailers"] is not None:
            state["trailers"] = state["trailers"].get_state()
        return state

    def set_state(self, state):
        d = self.__dict__
        for name, value in state.items():
            if name in ("headers", "trailers") and value is not None:
                value = Headers.from_state(value)
            try:
                d[self._FIELDS[name]] = value
            except KeyError:
                raise ValueError("%s has no field %r" % (type(self).__name__, name)) from None

    @classmethod
    def from_state(cls, state):
        return cls(**state)

    def copy(self):
        """Returns a message like this one."""
        new = _new(type(self))
        old, d = self.__dict__, new.__dict__
        for name in ("_raw", "_batch", "_index", "_rec", "_body0"):
            if name in old:
                d[name] = old[name]
        for name in self._FIELDS.values():
            if name in old:
                d[name] = old[name]
        for name in ("headers", "trailers"):
            if d.get(name) is not None:
                d[name] = d[name].copy()
        if "_batch" in d and "_body" not in d:
            d["_batch"].copies.append(new)
        return new

    @property
    def http_version(self) -> str:
        """The version as in "HTTP/1.1"."""
        return self._version.decode("utf-8", "surrogateescape")

    @http_version.setter
    def http_version(self, http_version):
        self._version = _settable("http_version", http_version)

    @property
    def is_http10(self) -> bool:
        return self._version == b"HTTP/1.0"

    @property
    def is_http11(self) -> bool:
        return self._version == b"HTTP/1.1"

    @property
    def is_http2(self) -> bool:
        return self._version == b"HTTP/2.0"

    @property
    def is_http3(self) -> bool:
        return self._version == b"HTTP/3"

    @property
    def raw_content(self) -> "bytes | None":
        """The body as it was sent, which may be compressed; None if it was not recorded."""
        return self._body

    @raw_content.setter
    def raw_content(self, content):
        self._body = content

    def get_content(self, strict: bool = True) -> "bytes | None":
        """Returns `content`; unless strict, the body as it is if it cannot be decoded."""
        body = self._body
        if body is None:
            return None
        coding = self.headers.get("content-encoding")
        if not coding:
            return body
        try:
            content = encoding.decode(body, coding)
            # Charsets are no content-encodings.
            if isinstance(content, str):
                raise ValueError("Invalid Content-Encoding: %s" % coding)
            return content
        except ValueError:
            if strict:
                raise
            return body

    def set_content(self, value: "bytes | None"):
        """Sets `content`."""
        if value is None:
            self._body = None
            return
        if not isinstance(value, bytes):
            raise TypeError(
                "Message content must be bytes, not %s. Please use .text if you want to assign a str."
                % type(value).__name__
            )
        headers = self.headers
        coding = headers.get("content-encoding")
        body = value
        if coding:
            try:
                body = encoding.encode(value, coding)
            except ValueError:
                del headers["content-encoding"]
        before = self.__dict__.get("_body")
        if body is not before:
            # An edit that changes nothing leaves the very object.
            self._body = before if body == before else body
        if "transfer-encoding" not in headers:
            headers["content-length"] = str(len(body))

    @property
    def content(self) -> "bytes | None":
        """The body without its content-encoding, as bytes; None if it was not recorded.

        Reading raises a ValueError if the body cannot be decoded. Setting applies the
        content-encoding, or removes it if that cannot be done, and sets content-length unless
        there is a transfer-encoding.
        """
        body = self._body
        if body is None or "content-encoding" not in self.headers:
            return body
        return self.get_content()

    @content.setter
    def content(self, value):
        self.set_content(value)

    def get_text(self, strict: bool = True) -> "str | None":
        """Returns `text`; unless strict, bytes that do not obey the charset become surrogates."""
        content = self.get_content(strict)
        if content is None:
            return None
        charset = infer_content_encoding(self.headers.get("content-type", ""), content)
        try:
            if charset in _COMMON:
                try:
                    return content.decode(charset)
                except UnicodeDecodeError:
                    pass
            return encoding.decode(content, charset)
        except ValueError:
            if strict:
                raise
            return content.decode("utf-8", "surrogateescape")

    def set_text(self, text: "str | None"):
        """Sets `text`."""
        if text is None:
            self._body = None
            return
        charset = infer_content_encoding(self.headers.get("content-type", ""))
        try:
            content = encoding.encode(text, charset)
        except ValueError:
            # The charset is unknown or cannot say it.
            kind, sub, params = parse_content_type(self.headers.get("content-type", "")) or ("text", "plain", {})
            params["charset"] = "utf-8"
            self.headers["content-type"] = assemble_content_type(kind, sub, params)
            content = text.encode("utf-8", "surrogateescape")
        self.set_content(content)

    @property
    def text(self) -> "str | None":
        """The content as text, its charset guessed by type and content.

        Reading raises a ValueError if the content does not obey the charset. Setting makes
        the charset UTF-8, in the content-type too, if the present one cannot say the text.
        """
        return self.get_text()

    @text.setter
    def text(self, value):
        self.set_text(value)

    def decode(self, strict: bool = True):
        """Removes the content-encoding, of the body as well; the body stays if it cannot be decoded."""
        content = self.get_content(strict)
        self.headers.pop("content-encoding", None)
        if content:
            self.set_content(content)

    def encode(self, encoding: str):
        """Applies a content-encoding to the body as it is: one that is there is not removed first.

        A ValueError says that it is unknown.
        """
        self.headers["content-encoding"] = encoding
        self.set_content(self._body)
        if "content-encoding" not in self.headers:
            raise ValueError("Invalid content encoding %r" % encoding)

    def json(self, **kwargs):
        """Returns the content, which is JSON; kwargs are those of json.loads()."""
        content = self.get_content(False)
        if content is None:
            raise TypeError("Message content is not available.")
        from json import loads

        return loads(content, **kwargs)


class MessageData(Serializable):
    """The raw fields of a message under mitmproxy's names: text is bytes, content is as it was sent."""

    __slots__ = ("_message",)
    _MESSAGE = None

    def __init__(self, *args, **kwargs):
        names = tuple(self._MESSAGE._FIELDS)
        if len(args) > len(names):
            raise TypeError("%s takes %d fields, not %d" % (type(self).__name__, len(names), len(args)))
        kwargs.update(zip(names, args))
        self._message = self._MESSAGE(**kwargs)

    @classmethod
    def _of(cls, message):
        data = _new(cls)
        data._message = message
        return data

    def __repr__(self):
        fields = ["%s=%r" % (name, getattr(self, name)) for name in self._message._FIELDS]
        return "%s(%s)" % (type(self).__name__, ", ".join(fields))

    def __eq__(self, other):
        if type(other) is not type(self):
            return NotImplemented
        return all([getattr(self, name) == getattr(other, name) for name in self._message._FIELDS])

    __hash__ = None

    def get_state(self):
        return self._message.get_state()

    def set_state(self, state):
        self._message.set_state(state)

    @classmethod
    def from_state(cls, state):
        return cls._of(cls._MESSAGE.from_state(state))


def _data_of(message):
    """Makes the class of the raw fields of a class of messages."""

    def field(attr):
        return property(
            lambda self: getattr(self._message, attr),
            lambda self, value: setattr(self._message, attr, value),
        )

    fields = {name: field(attr) for name, attr in message._FIELDS.items()}
    name = message.__name__ + "Data"
    data = type(name, (MessageData,), dict(fields, __slots__=(), __module__=__name__, _MESSAGE=message))
    message._DATA = data
    return data


def _received_body(part, off):
    def body(message):
        rec = message._rec
        body = message._batch.body(message._index, part, rec[off], rec[off + 1])
        message.__dict__["_body0"] = body
        return body

    return Lazy(body)


def _received_trailers(place):
    def trailers(message):
        fields = message._rec[place]
        return None if fields is None else _headers(fields)

    return Lazy(trailers)


class Request(Message):
    """A request."""

    _host = Field(0)
    _port = Field(1)
    _method = Field(2)
    _scheme = Field(3)
    _authority = Field(4)
    _path = Field(5)
    _version = Field(6)
    headers: Headers = _ReceivedHeaders(7)
    _body = _received_body(0, 8)
    timestamp_start: float = Field(10)
    timestamp_end: "float | None" = Field(11)
    trailers: "Headers | None" = _received_trailers(12)

    _FIELDS = {
        "http_version": "_version",
        "headers": "headers",
        "content": "_body",
        "trailers": "trailers",
        "timestamp_start": "timestamp_start",
        "timestamp_end": "timestamp_end",
        "host": "_host",
        "port": "_port",
        "method": "_method",
        "scheme": "_scheme",
        "authority": "_authority",
        "path": "_path",
    }

    def __init__(
        self,
        host,
        port,
        method,
        scheme,
        authority,
        path,
        http_version,
        headers,
        content,
        trailers,
        timestamp_start,
        timestamp_end,
    ):
        if isinstance(host, bytes):
            host = url.decode_idna(host)
        self._init(http_version, headers, content, trailers, timestamp_start, timestamp_end)
        self._host = _checked("host", host, str)
        self._port = _checked("port", port, int)
        self._method = _raw("method", method)
        self._scheme = _raw("scheme", scheme)
        self._authority = _raw("authority", authority)
        self._path = _raw("path", path)

    def __repr__(self):
        host = "%s:%s" % (self._host, self._port) if self._host and self._port else ""
        return "Request(%s %s%s)" % (self.method, host, self.path)

    @classmethod
    def make(cls, method: str, url: str, content: "bytes | str" = "", headers=()) -> "Request":
        """Returns a request to a URL."""
        now = time.time()
        request = cls(
            "", 0, method.encode("utf-8", "surrogateescape"), b"", b"", b"", b"HTTP/1.1",
            _given_headers(headers, True), b"", None, now, now,
        )  # fmt: skip
        request.url = url
        _make_content(request, content)
        return request

    @property
    def first_line_format(self) -> str:
        """How the first line names what is asked for: "authority" (of CONNECT), "absolute" or "relative"."""
        if self._method.upper() == b"CONNECT":
            return "authority"
        return "absolute" if self._authority else "relative"

    @property
    def method(self) -> str:
        """The method, in upper case."""
        return self._method.decode("utf-8", "surrogateescape").upper()

    @method.setter
    def method(self, val):
        self._method = _settable("method", val)

    @property
    def scheme(self) -> str:
        return self._scheme.decode("utf-8", "surrogateescape")

    @scheme.setter
    def scheme(self, val):
        self._scheme = _settable("scheme", val)

    @property
    def path(self) -> str:
        """What follows host and port in the URL, query included."""
        return self._path.decode("utf-8", "surrogateescape")

    @path.setter
    def path(self, val):
        self._path = _settable("path", val)

    @property
    def authority(self) -> str:
        """The authority of the first line, or of :authority in later versions; may be empty."""
        try:
            return url.decode_idna(self._authority)
        except UnicodeError:
            return self._authority.decode("utf-8", "surrogateescape")

    @authority.setter
    def authority(self, val):
        if isinstance(val, str):
            try:
                val = val.encode("ascii" if val.isascii() else "idna")
            except UnicodeError:
                val = val.encode("utf-8", "surrogateescape")
        self._authority = _settable("authority", val)

    @property
    def host(self) -> str:
        """Where the request goes. Setting takes an existing Host header and the authority along."""
        return self._host

    @host.setter
    def host(self, val):
        if isinstance(val, bytes):
            val = url.decode_idna(val)
        elif val is not None and not isinstance(val, str):
            raise TypeError("Expected str or bytes, but got %s." % type(val).__name__)
        self._host = val
        self._update_host_header()

    @property
    def port(self) -> int:
        """Where the request goes. Setting takes an existing Host header and the authority along."""
        return self._port

    @port.setter
    def port(self, port):
        if not isinstance(port, int):
            raise ValueError("Port must be an integer, not %r." % (port,))
        self._port = port
        self._update_host_header()

    def _update_host_header(self):
        headers = self.headers
        if "Host" in headers or self._authority:
            if self._host is None:
                return
            val = url.hostport(self.scheme, self._host, self._port)
            if "Host" in headers:
                headers["Host"] = val
            if self._authority:
                self.authority = val

    @property
    def host_header(self) -> "str | None":
        """The host that the client named: the Host header, or the authority in later versions."""
        if self._authority and (self.is_http2 or self.is_http3):
            return self.authority
        return self.headers.get("Host")

    @host_header.setter
    def host_header(self, val):
        multiplexed = self.is_http2 or self.is_http3
        if val is None:
            if multiplexed:
                self._authority = b""
            self.headers.pop("Host", None)
            return
        if multiplexed:
            self.authority = val
        if not multiplexed or "Host" in self.headers:
            self.headers["Host"] = val

    @property
    def url(self) -> str:
        """The URL the request goes to."""
        if self._method.upper() == b"CONNECT":
            return "%s:%s" % (self._host, self._port)
        path = self.path
        return url.unparse(self.scheme, self._host, self._port, "" if path == "*" else path)

    @url.setter
    def url(self, val):
        if isinstance(val, bytes):
            val = val.decode("utf-8", "surrogateescape")
        self._scheme, host, port, self._path = url.parse(val)
        self._host, self._port = url.decode_idna(host), port
        self._update_host_header()

    @property
    def pretty_host(self) -> str:
        """The host by `host_header`, which says more than an address, or else `host`."""
        named = self.host_header
        return _authority(named)[0] if named else self._host

    @property
    def pretty_url(self) -> str:
        """The URL with `pretty_host`."""
        # Filters ask each flow for it, so it goes straight to what is there.
        if self._method.upper() == b"CONNECT":
            return self.authority
        if self._authority and self._version in _MULTIPLEXED:
            named = self.authority
        else:
            named = self._host_field()
        if not named:
            return self.url
        scheme, path = self._scheme, self._path
        try:
            site = _sites[scheme, named]
        except KeyError:
            site = _site(scheme, named)
        return site if path == b"*" else site + path.decode("utf-8", "surrogateescape")

    def _host_field(self):
        """Returns `headers.get("Host")`, as bytes where there is one such field."""
        d = self.__dict__
        headers = d.get("headers")
        if headers is None and "_raw" in d:
            fields = self._rec[7]
        elif type(headers) is Headers:
            fields = headers.fields
        else:
            return self.headers.get("Host")
        found = None
        for name, value in fields:
            if len(name) == 4 and name.lower() == b"host":
                if found is not None:
                    return self.headers.get("Host")
                found = value
        return found

    def _split_path(self):
        if self._method.upper() == b"CONNECT":
            return "", "", "", ""
        return url.split_path(self.path)

    def _get_query(self):
        return tuple(url.decode(self._split_path()[2]))

    def _set_query(self, query_data):
        path, params, _, fragment = self._split_path()
        self.path = url.join_path(path, params, url.encode(query_data), fragment)

    @property
    def query(self) -> MultiDictView:
        """The query of the URL as a MultiDictView."""
        return MultiDictView(self._get_query, self._set_query)

    @query.setter
    def query(self, value):
        self._set_query(value)

    @property
    def path_components(self) -> "tuple[str, ...]":
        """The parts of the path between the slashes, unquoted, as a tuple."""
        return tuple([url.unquote(part) for part in self._split_path()[0].split("/") if part])

    @path_components.setter
    def path_components(self, components):
        _, params, query, fragment = self._split_path()
        path = "/" + "/".join([url.quote(part, safe="") for part in components])
        self.path = url.join_path(path, params, query, fragment)

    def _get_cookies(self):
        from mitmproxy.net.http import cookies

        return tuple(cookies.parse_cookie_headers(self.headers.get_all("Cookie")))

    def _set_cookies(self, value):
        from mitmproxy.net.http import cookies

        self.headers["cookie"] = cookies.format_cookie_header(value)

    @property
    def cookies(self) -> MultiDictView:
        """The cookies as a MultiDictView."""
        return MultiDictView(self._get_cookies, self._set_cookies)

    @cookies.setter
    def cookies(self, value):
        self._set_cookies(value)

    def anticache(self):
        """Removes the headers by which a server may answer "not modified"."""
        self.headers.pop("if-modified-since", None)
        self.headers.pop("if-none-match", None)

    def anticomp(self):
        """Asks for a response that is not compressed."""
        self.headers["accept-encoding"] = "identity"

    def constrain_encoding(self):
        """Removes codings from the accept-encoding that cannot be decoded here."""
        accepted = self.headers.get("accept-encoding")
        if accepted:
            self.headers["accept-encoding"] = ", ".join(
                [coding for coding in ("gzip", "identity", "deflate", "br", "zstd") if coding in accepted]
            )

    def _content_type_has(self, kind):
        return kind in self.headers.get("content-type", "").lower()

    def _get_urlencoded_form(self):
        if self._content_type_has("application/x-www-form-urlencoded"):
            return tuple(url.decode(self.get_text(strict=False)))
        return ()

    def _set_urlencoded_form(self, form_data):
        self.headers["content-type"] = "application/x-www-form-urlencoded"
        self.text = url.encode(form_data, self.get_text(strict=False))

    @property
    def urlencoded_form(self) -> MultiDictView:
        """The form in the body as a MultiDictView; empty if the type is another."""
        return MultiDictView(self._get_urlencoded_form, self._set_urlencoded_form)

    @urlencoded_form.setter
    def urlencoded_form(self, value):
        self._set_urlencoded_form(value)

    def _get_multipart_form(self):
        if self._content_type_has("multipart/form-data") and self.content is not None:
            from mitmproxy.net.http import multipart

            try:
                return tuple(multipart.decode_multipart(self.headers.get("content-type"), self.content))
            except ValueError:
                pass
        return ()

    def _set_multipart_form(self, value):
        from mitmproxy.net.http import multipart

        if not self.headers.get("content-type", "").startswith("multipart/form-data"):
            from os import urandom

            self.headers["content-type"] = "multipart/form-data; boundary=%s" % ("-" * 20 + urandom(16).hex())
        self.content = multipart.encode_multipart(self.headers["content-type"], value)

    @property
    def multipart_form(self) -> MultiDictView:
        """The form in the body as a MultiDictView of bytes; empty if the type is another."""
        return MultiDictView(self._get_multipart_form, self._set_multipart_form)

    @multipart_form.setter
    def multipart_form(self, value):
        self._set_multipart_form(value)


_authorities = {}


def _authority(named):
    """Returns (host, port) of a Host header, port may be None."""
    try:
        return _authorities[named]
    except KeyError:
        if len(_authorities) >= 4096:
            _authorities.clear()
        split = _authorities[named] = url.parse_authority(named, check=False)
        return split


# The beginnings of URLs by scheme and Host header.
_sites = {}
_MULTIPLEXED = (b"HTTP/2.0", b"HTTP/3")


def _site(scheme, named):
    """Returns what stands before the path in the URL of a request with a Host header, bytes or text."""
    host, port = _authority(named if isinstance(named, str) else named.decode("utf-8", "surrogateescape"))
    text = scheme.decode("utf-8", "surrogateescape")
    if len(_sites) >= 4096:
        _sites.clear()
    site = _sites[scheme, named] = url.unparse(text, host, port or url.default_port(text) or 443)
    return site


class Response(Message):
    """A response."""

    _status = Field(0)
    _reason = Field(1)
    _version = Field(2)
    headers: Headers = _ReceivedHeaders(3)
    _body = _received_body(1, 4)
    timestamp_start: float = Field(6)
    timestamp_end: "float | None" = Field(7)
    trailers: "Headers | None" = _received_trailers(8)

    _FIELDS = {
        "http_version": "_version",
        "headers": "headers",
        "content": "_body",
        "trailers": "trailers",
        "timestamp_start": "timestamp_start",
        "timestamp_end": "timestamp_end",
        "status_code": "_status",
        "reason": "_reason",
    }

    def __init__(
        self, http_version, status_code, reason, headers, content, trailers, timestamp_start, timestamp_end
    ):
        self._init(http_version, headers, content, trailers, timestamp_start, timestamp_end)
        self._status = _checked("status_code", status_code, int)
        self._reason = _raw("reason", reason)

    def __repr__(self):
        body = self._body
        if not body:
            return "Response(%s, no content)" % self._status
        from mitmproxy.utils.human import pretty_size

        kind = self.headers.get("content-type", "unknown content type")
        return "Response(%s, %s, %s)" % (self._status, kind, pretty_size(len(body)))

    @classmethod
    def make(cls, status_code: int = 200, content: "bytes | str" = b"", headers=()) -> "Response":
        """Returns a response."""
        from mitmproxy.net.http.status_codes import RESPONSES

        now = time.time()
        response = cls(
            b"HTTP/1.1", status_code, RESPONSES.get(status_code, "").encode(),
            _given_headers(headers, True), None, None, now, now,
        )  # fmt: skip
        _make_content(response, content)
        return response

    @property
    def status_code(self) -> int:
        return self._status

    @status_code.setter
    def status_code(self, status_code):
        self._status = status_code

    @property
    def reason(self) -> str:
        """The text behind the status code. HTTP/2 has none."""
        return self._reason.decode("latin-1")

    @reason.setter
    def reason(self, reason):
        self._reason = reason.encode("latin-1") if isinstance(reason, str) else _settable("reason", reason)

    def _get_cookies(self):
        from mitmproxy.net.http import cookies

        found = cookies.parse_set_cookie_headers(self.headers.get_all("set-cookie"))
        return tuple([(name, (value, attrs)) for name, value, attrs in found])

    def _set_cookies(self, value):
        from mitmproxy.net.http import cookies

        self.headers.set_all(
            "set-cookie", [cookies.format_set_cookie_header([(k, v[0], v[1])]) for k, v in value]
        )

    @property
    def cookies(self) -> MultiDictView:
        """The cookies that are set, as a MultiDictView of (value, attributes) by name."""
        return MultiDictView(self._get_cookies, self._set_cookies)

    @cookies.setter
    def cookies(self, value):
        self._set_cookies(value)

    def refresh(self, now=None):
        """Moves the dates of a response that is given again by the time that has passed since."""
        from email.utils import formatdate, mktime_tz, parsedate_tz

        from mitmproxy.net.http import cookies

        delta = (now or time.time()) - self.timestamp_start
        for name in ("date", "expires", "last-modified"):
            if name in self.headers:
                date = parsedate_tz(self.headers[name])
                if date:
                    self.headers[name] = formatdate(mktime_tz(date) + delta, usegmt=True)
        refreshed = []
        for header in self.headers.get_all("set-cookie"):
            try:
                header = cookies.refresh_set_cookie_header(header, delta)
            except ValueError:
                pass
            refreshed.append(header)
        if refreshed:
            self.headers.set_all("set-cookie", refreshed)


def _make_content(message, content):
    """Gives a new message its content, and the content-length with it."""
    if isinstance(content, bytes):
        message.content = content
    elif isinstance(content, str):
        message.text = content
    else:
        raise TypeError("Expected content to be str or bytes, but is %s." % type(content).__name__)


RequestData = _data_of(Request)
ResponseData = _data_of(Response)


def _fetched(flow, place):
    """Returns the record of a message that was not sent along, and puts it where it belongs."""
    d = flow.__dict__
    raw = d["_batch"].heads(d["_index"], place)
    rec = d["_rec"]
    d["_rec"] = rec[:place] + (raw,) + rec[place + 1:]
    return raw


class _ReceivedMessage:
    """A message as an attribute of a received flow: a Lazy that is faster."""

    __slots__ = ("cls", "name", "place")

    def __init__(self, cls, name, place):
        self.cls = cls
        self.name = name
        self.place = place

    def __get__(self, flow, owner=None):
        if flow is None:
            return self
        d = flow.__dict__
        raw = flow._rec[self.place]
        if raw is None:
            d[self.name] = None
            return None
        if raw is True:
            raw = _fetched(flow, self.place)
        message = d[self.name] = _new(self.cls)
        message._raw = raw
        message._batch = d["_batch"]
        message._index = d["_index"]
        return message


class HTTPFlow(Flow):
    """A request, and its response or what went wrong instead.

    `response` and `websocket` may be None, as may `error`. A connection that became one of
    WebSocket has its messages in `websocket`.
    """

    request: Request = _ReceivedMessage(Request, "request", 3)
    response: "Response | None" = _ReceivedMessage(Response, "response", 4)

    @Lazy
    def websocket(self):
        origin = self._cold[6]
        if origin is None:
            return None
        from mitmproxy.websocket import WebSocketData

        return WebSocketData._received(self, origin)

    def __init__(self, client_conn, server_conn, live=False):
        super().__init__(client_conn, server_conn, live)
        self.request = None
        self.response = None
        self.websocket = None

    def __repr__(self):
        parts = ["<HTTPFlow"]
        for name in ("request", "response", "websocket", "error", "client_conn", "server_conn"):
            part = getattr(self, name)
            if part:
                parts.append("  %s = %s" % (name, part))
        return "\r\n".join(parts) + ">"

    @property
    def timestamp_start(self) -> float:
        """When the request began."""
        return self.request.timestamp_start

    @property
    def mode(self):
        """What mitmproxy before 9.0 had of the proxy's mode, which saved flows never say."""
        _mode_is_deprecated()
        return self.__dict__.get("_mode", "regular")

    @mode.setter
    def mode(self, value):
        _mode_is_deprecated()
        self._mode = value

    def copy(self):
        # The bodies are taken along as they are, read or not.
        bare = _new(type(self))
        bare.__dict__.update(self.__dict__)
        bare.request = bare.response = bare.websocket = None
        flow = Flow.copy(bare)
        for name in ("request", "response", "websocket"):
            part = getattr(self, name)
            setattr(flow, name, part and part.copy())
        return flow


def _mode_is_deprecated():
    import warnings

    warnings.warn("HTTPFlow.mode is deprecated.", DeprecationWarning, stacklevel=3)


# What scripts find in this module since mitmproxy's own imports it.
_ELSEWHERE = {
    "WebSocketData": "mitmproxy.websocket",
    "always_bytes": "mitmproxy.utils.strutils",
    "always_str": "mitmproxy.utils.strutils",
    "cookies": "mitmproxy.net.http",
    "flow": "mitmproxy",
    "human": "mitmproxy.utils",
    "multidict": "mitmproxy.coretypes",
    "multipart": "mitmproxy.net.http",
    "serializable": "mitmproxy.coretypes",
    "status_codes": "mitmproxy.net.http",
    "strutils": "mitmproxy.utils",
}


def __getattr__(name):
    """Imports what is not needed by every run."""
    try:
        module = _ELSEWHERE[name]
    except KeyError:
        raise AttributeError("module %r has no attribute %r" % (__name__, name)) from None
    from importlib import import_module

    found = getattr(import_module(module), name, None) or import_module("%s.%s" % (module, name))
    globals()[name] = found
    return found
