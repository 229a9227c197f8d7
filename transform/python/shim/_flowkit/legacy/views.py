"""Flows as the hooks with a context saw them, up to 0.17.

A view has no state: what it is asked or told goes to the object of today behind it, so a
script's own attributes are on that too. The classes with `lists` are of up to 0.13.
"""
from mitmproxy import http

from .odict import ODict, ODictCaseless
from .text import Bytes, CallableBool, CallableText, subn, to_bytes, to_text


def unwrap(value):
    """Return what is behind a view; other values as they are."""
    return value._it if isinstance(type(value), _ViewType) else value


class _ViewType(type):
    """The type of view classes."""


class View(metaclass=_ViewType):
    """Stands for an object; what the class does not define is the object's."""

    __slots__ = ("_it", "_flow")

    def __init__(self, it, flow=None):
        object.__setattr__(self, "_it", it)
        object.__setattr__(self, "_flow", flow)

    @property
    def __class__(self):
        return type(self._it)

    def __getattr__(self, name):
        return getattr(self._it, name)

    def __setattr__(self, name, value):
        if isinstance(getattr(type(self), name, None), property):
            object.__setattr__(self, name, value)
        else:
            setattr(self._it, name, unwrap(value))

    def __delattr__(self, name):
        delattr(self._it, name)

    def __eq__(self, other):
        return self._it == unwrap(other)

    def __ne__(self, other):
        return self._it != unwrap(other)

    def __hash__(self):
        return hash(self._it)

    def __repr__(self):
        return repr(self._it)

    def copy(self):
        return type(self)(self._it.copy())

    def __copy__(self):
        return self.copy()

    def __deepcopy__(self, memo):
        return self.copy()

    def load_state(self, state):
        self._it.set_state(state)


def fields_of(headers):
    """Return headers of any era as the fields that Headers have."""
    if headers is None:
        return ()
    fields = getattr(headers, "fields", None)
    if fields is None:
        fields = headers.items() if hasattr(headers, "items") else headers
    return tuple([(to_bytes(k), to_bytes(v)) for k, v in fields])


def headers_of(headers):
    """Return headers of any era as those of today."""
    if isinstance(headers, ListHeaders):
        return headers._headers
    if isinstance(headers, http.Headers):
        return unwrap(headers)
    return http.Headers(fields_of(headers))


class TextHeaders(View):
    """The headers of a message, whose fields are texts."""

    __slots__ = ()

    @property
    def fields(self):
        return [[to_text(k), to_text(v)] for k, v in self._it.fields]

    @fields.setter
    def fields(self, pairs):
        self._it.fields = tuple([(to_bytes(k), to_bytes(v)) for k, v in pairs])

    def __getitem__(self, name):
        return self._it[name]

    def __setitem__(self, name, value):
        if isinstance(value, list):
            self._it.set_all(name, value)
        else:
            self._it[name] = value

    def __delitem__(self, name):
        del self._it[name]

    def __contains__(self, name):
        return name in self._it

    def __iter__(self):
        return iter(self._it)

    def __len__(self):
        return len(self._it)

    def __bytes__(self):
        return bytes(self._it)

    def __str__(self):
        return to_text(bytes(self._it))

    def replace(self, pattern, repl, flags=0):
        """Replace a regular expression in each "name: value" line; return how often it was."""
        return self._it.replace(to_bytes(pattern), to_bytes(repl), flags)

    def get_state(self):
        return tuple([tuple(pair) for pair in self.fields])


class ListHeaders(ODictCaseless):
    """The headers of a message as an ODict."""

    def __init__(self, headers=None):
        self._headers = headers_of(headers)

    @property
    def lst(self):
        return [[to_text(k), to_text(v)] for k, v in self._headers.fields]

    @lst.setter
    def lst(self, pairs):
        fields = tuple([(to_bytes(k), to_bytes(v)) for k, v in pairs])
        if fields != self._headers.fields:
            self._headers.fields = fields


def set_raw(message, content):
    """Set a body as it is on the wire, and its length."""
    if content != message.raw_content:
        message.raw_content = content
    if content is not None and "transfer-encoding" not in message.headers:
        length = str(len(content))
        if message.headers.get("content-length") != length:
            message.headers["content-length"] = length


def version_of(value):
    """Return an HTTP version as text, (1, 1) being how it was given up to 0.13."""
    if isinstance(value, (tuple, list)):
        return "HTTP/" + ".".join([str(n) for n in value])
    return to_text(value)


class decoded:
    """A context in which a message's content is not encoded."""

    def __init__(self, message):
        self.message = unwrap(message)
        self.encoded = None

    def __enter__(self):
        message = self.message
        self.encoded = None
        name = message.headers.get("content-encoding", "")
        raw, fields = message.raw_content, message.headers.fields
        if not raw or name not in ("gzip", "deflate", "identity"):
            return
        try:
            message.decode(strict=True)
        except ValueError:
            return
        self.encoded = (name, raw, fields, message.raw_content, message.headers.fields)

    def __exit__(self, *exc):
        if self.encoded is None:
            return
        message = self.message
        name, raw, fields, plain, between = self.encoded
        content, now = message.raw_content, message.headers.fields
        if content == plain and now == between:
            # Nothing happened, so nothing is encoded anew.
            message.raw_content = raw
            message.headers.fields = fields
            return
        if "content-encoding" not in message.headers:
            place = [k.lower() for k, _ in fields].index(b"content-encoding")
            message.headers.fields = now[:place] + (fields[place],) + now[place:]
        if content == plain:
            message.raw_content = raw
            set_raw(message, raw)
        else:
            message.content = content


class MessageView(View):
    """What requests and responses have in common."""

    __slots__ = ()
    lists = False

    @property
    def headers(self):
        headers = self._it.headers
        return ListHeaders(headers) if self.lists else TextHeaders(headers)

    @headers.setter
    def headers(self, headers):
        self._it.headers = headers_of(headers)

    @property
    def content(self):
        content = self._it.raw_content
        return None if content is None else Bytes(content)

    @content.setter
    def content(self, content):
        set_raw(self._it, to_bytes(content))

    body = raw_content = content

    @property
    def httpversion(self):
        return tuple([int(n) for n in self._it.http_version.rpartition("/")[2].split(".")])

    @httpversion.setter
    def httpversion(self, version):
        self._it.http_version = version_of(version)

    @property
    def is_replay(self):
        """Up to 5.2 it was the message that was replayed, not the flow; a method in 0.8."""
        return CallableBool(self._flow is not None and self._flow.is_replay == self.side)

    @is_replay.setter
    def is_replay(self, value):
        if self._flow is not None:
            self._flow.is_replay = self.side if value else None

    # Nothing of flowkit's sets them.
    stickycookie = stickyauth = False

    @property
    def reply(self):
        """Up to 0.10 it was the message that was answered."""
        return self._flow.reply

    def get_decoded_content(self):
        """Return the content without its encoding; as it is if that fails."""
        content = self._it.get_content(strict=False)
        return None if content is None else Bytes(content)

    def decode(self):
        """Take off the content encoding; tell whether there was one that could be."""
        if not self._it.raw_content or "content-encoding" not in self._it.headers:
            return False
        try:
            self._it.decode()
        except ValueError:
            return False
        return True

    def encode(self, encoding):
        try:
            self._it.encode(encoding)
        except ValueError:
            return False
        return True

    def replace(self, pattern, repl, *args, **kwargs):
        """Replace a regular expression in headers and content; return how often it was."""
        count = 0
        content = self._it.get_content(strict=False)
        if content:
            new, count = subn(pattern, repl, content, *self._sub_args(args), **kwargs)
            if count:
                self._it.content = new
        return count + self.headers.replace(pattern, repl, *args, **kwargs)

    def _sub_args(self, args):
        """Return arguments for re.subn: from 0.14 the first was that with the flags."""
        return args if self.lists or not args else (0,) + args

    def assemble(self, *args, **kwargs):
        """Return the message as HTTP/1 has it."""
        return Bytes(self._assembled(self._it))

    def size(self, **kwargs):
        return len(self._assembled(self._it))


class RequestView(MessageView):
    """A request: HTTPRequest."""

    __slots__ = ()
    side = "request"

    @staticmethod
    def _assembled(request):
        from mitmproxy.net.http import http1

        return http1.assemble_request(request)

    @property
    def client_conn(self):
        return self._flow.client_conn

    @property
    def form_in(self):
        return self._it.first_line_format

    form_out = form_in

    @property
    def pretty_host(self):
        return CallableText(self._it.pretty_host, self._pretty_host)

    @property
    def pretty_url(self):
        return CallableText(self._it.pretty_url, self._pretty_url)

    def _pretty_host(self, hostheader=False):
        """Return the host as up to 0.13, when a port in the header was part of it."""
        return hostheader and self._it.headers.get("host") or self._it.host

    def _pretty_url(self, hostheader=False):
        return self._it.pretty_url if hostheader else self._it.url

    def get_url(self, hostheader=False):
        return self._pretty_url(hostheader)

    def set_url(self, url):
        try:
            self._it.url = url
        except ValueError:
            return False
        return True

    def update_host_header(self):
        self.headers["Host"] = [self._it.host] if self.lists else self._it.host

    def get_query(self):
        return _odict(self._it.query.fields)

    def set_query(self, odict):
        self._it.query = _pairs(odict)

    @property
    def query(self):
        return self.get_query() or None

    @query.setter
    def query(self, odict):
        self.set_query(odict)

    def get_form_urlencoded(self):
        return _odict(self._it.urlencoded_form.fields)

    def set_form_urlencoded(self, odict):
        self._it.urlencoded_form = _pairs(odict)

    @property
    def urlencoded_form(self):
        return self.get_form_urlencoded() or None

    @urlencoded_form.setter
    def urlencoded_form(self, odict):
        self.set_form_urlencoded(odict)

    def get_form_multipart(self):
        return _odict([(to_text(k), Bytes(v)) for k, v in self._it.multipart_form.fields])

    @property
    def multipart_form(self):
        return self.get_form_multipart() or None

    @property
    def cookies(self):
        return _odict(self._it.cookies.fields)

    @cookies.setter
    def cookies(self, odict):
        self._it.cookies = _pairs(odict)

    def get_cookies(self):
        if not self.lists:
            return self.cookies
        if "cookie" not in self._it.headers:
            return None
        return {k: (v, {}) for k, v in self._it.cookies.fields}

    def set_cookies(self, odict):
        self.cookies = odict

    @property
    def path_components(self):
        return list(self._it.path_components)

    @path_components.setter
    def path_components(self, components):
        self._it.path_components = components

    def get_path_components(self):
        return self.path_components

    def set_path_components(self, components):
        self.path_components = components

    def replace(self, pattern, repl, *args, **kwargs):
        """Replace a regular expression in the path too."""
        count = MessageView.replace(self, pattern, repl, *args, **kwargs)
        path, n = subn(pattern, repl, self._it.path, *self._sub_args(args), **kwargs)
        if n:
            self._it.path = path
        return count + n


class ResponseView(MessageView):
    """A response: HTTPResponse."""

    __slots__ = ()
    side = "response"

    @staticmethod
    def _assembled(response):
        from mitmproxy.net.http import http1

        return http1.assemble_response(response)

    @property
    def request(self):
        """The request; up to 0.10 a flow was less than its messages."""
        return (ListRequest if self.lists else RequestView)(self._flow.request, self._flow)

    @property
    def code(self):
        return self._it.status_code

    @code.setter
    def code(self, code):
        self._it.status_code = int(code)

    @property
    def msg(self):
        return self._it.reason

    @msg.setter
    def msg(self, reason):
        self._it.reason = reason

    @property
    def cookies(self):
        return _odict([(name, [value, _odict(attrs.fields)]) for name, (value, attrs) in self._it.cookies.fields])

    @cookies.setter
    def cookies(self, odict):
        self._it.cookies = _pairs(odict)

    def get_cookies(self):
        if not self.lists:
            return self.cookies
        if "set-cookie" not in self._it.headers:
            return None
        return {
            name: (value, {k.lower(): "" if v is None else v for k, v in attrs.fields})
            for name, (value, attrs) in self._it.cookies.fields
        }

    def set_cookies(self, odict):
        self.cookies = odict

    @property
    def stream(self):
        return self._it.stream

    @stream.setter
    def stream(self, stream):
        from .stream import Chunks, of_chunks

        self._it.stream = Chunks(stream, Bytes) if of_chunks(stream) else stream


class ListRequest(RequestView):
    __slots__ = ()
    lists = True


class ListResponse(ResponseView):
    __slots__ = ()
    lists = True


def _odict(pairs):
    return ODict([list(pair) for pair in pairs])


def _pairs(odict):
    """Return the pairs of an ODict, a dictionary or a list."""
    if odict is None:
        return []
    items = odict.items() if hasattr(odict, "items") else odict
    return [(to_text(k), to_text(v)) for k, v in items]


class FlowView(View):
    """An HTTP flow."""

    __slots__ = ()
    kinds = (RequestView, ResponseView)

    @property
    def request(self):
        request = self._it.request
        return None if request is None else self.kinds[0](request, self._it)

    @request.setter
    def request(self, request):
        self._it.request = unwrap(request)

    @property
    def response(self):
        response = self._it.response
        return None if response is None else self.kinds[1](response, self._it)

    @response.setter
    def response(self, response):
        self._it.response = unwrap(response)

    @property
    def intercepting(self):
        return self._it.intercepted

    @intercepting.setter
    def intercepting(self, value):
        self._it.intercepted = bool(value)

    def kill(self, master=None):
        from .extras import kill

        kill(self._it)

    def intercept(self, master=None):
        self._it.intercept()

    def accept_intercept(self, master=None):
        self._it.resume()

    def replace(self, pattern, repl, *args, **kwargs):
        """Replace a regular expression in request and response; return how often it was."""
        count = self.request.replace(pattern, repl, *args, **kwargs)
        if self._it.response is not None:
            count += self.response.replace(pattern, repl, *args, **kwargs)
        return count


class ListFlow(FlowView):
    __slots__ = ()
    kinds = (ListRequest, ListResponse)


class TcpMessage:
    """The latest message of a TCP flow, as tcp_message got it in 0.16 and 0.17."""

    def __init__(self, flow):
        self._message = flow.messages[-1]
        self.flow = flow
        self.client_conn, self.server_conn = flow.client_conn, flow.server_conn
        ends = (self.client_conn, self.server_conn)
        self.sender, self.receiver = ends if self._message.from_client else ends[::-1]

    @property
    def message(self):
        return Bytes(self._message.content)

    @message.setter
    def message(self, content):
        content = to_bytes(content)
        if content != self._message.content:
            self._message.content = content
