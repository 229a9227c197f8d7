"""What 0.18 to 6.x had besides, put on the classes and modules of today.

None of it has a name that means something else today, but for what says so.
"""
import sys

from _flowkit.record import Lazy
from mitmproxy import connection, exceptions, flow, flowfilter, http, proxy, websocket
from mitmproxy.net import http as net_http

from . import names, python2, views
from .context import Apps, ScriptContext, warn_once
from .text import CallableBool, escaped

Flow, HTTPFlow = flow.Flow, http.HTTPFlow


def install():
    for cls, extra in (
        # Derived classes come first: what they have of their base is no reason not to have their own.
        (HTTPFlow, _HTTPFlow), (Flow, _Flow), (http.Request, _Request), (http.Response, _Response),
        (http.Message, _Message), (http.Headers, _Headers), (connection.Connection, _Connection),
    ):
        for name, value in vars(extra).items():
            if not name.startswith("__") and not hasattr(cls, name):
                setattr(cls, name, value)
    _replace_methods()
    _name_modules()
    python2.install()


def eras_of(frame):
    """Return the era of the script whose code calls, None for others."""
    return frame.f_globals.get("__flowkit_era__")


def kill(f):
    """Kill a flow as up to 6.x, when a saved one could be."""
    f.error = flow.Error(flow.Error.KILLED_MESSAGE)
    f.intercepted = False


def _replace_methods():
    """Replace what has another meaning in old scripts: theirs alone get the old."""
    plain_kill, plain_match, plain_parse = Flow.kill, flowfilter.match, flowfilter.parse
    connected = connection.Connection.connected

    def kill_flow(self):
        """Kill the flow; a saved one cannot be killed since 7.0."""
        if eras_of(sys._getframe(1)):
            kill(self)
        else:
            plain_kill(self)

    def parse(s):
        """Return a filter. For what is none, None up to 7.0, since then a ValueError."""
        try:
            return plain_parse(s)
        except ValueError:
            if eras_of(sys._getframe(1)):
                return None
            raise

    def match(flt, f):
        """Match a flow with a filter."""
        if isinstance(flt, Flow):
            flt, f = f, flt  # 0.18
        return plain_match(flt, views.unwrap(f))

    get_cookies = http.Response._get_cookies

    def named_cookies(self):
        return tuple([(name, SetCookie(value)) for name, value in get_cookies(self)])

    http.Response._get_cookies = named_cookies
    connection.Address.address = property(tuple)
    Flow.kill = kill_flow
    flowfilter.match, flowfilter.parse = match, parse
    connection.Connection.connected = property(
        lambda self: CallableBool(connected.__get__(self)), doc="Whether the connection is open."
    )


class Reply:
    """The answer to the proxy, which waited for one: now it is what the flow becomes."""

    state = "unhandled"
    acked = True
    has_message = False

    def __init__(self, f):
        self.obj = f

    def __call__(self, message=None):
        if message is None:
            return
        if message is exceptions.Kill:
            self.kill()
        else:
            self.send(message)

    def send(self, message, force=False):
        """Make a response that of the flow."""
        message = views.unwrap(message)
        if isinstance(message, http.Response):
            self.obj.response = message
            self.has_message = True

    def kill(self, force=False):
        kill(self.obj)
        self.has_message = True

    def ack(self, force=False):
        self.has_message = True

    def handle(self):
        self.state = "handled"

    def take(self):
        self.state = "taken"

    def commit(self):
        self.state = "committed"


def _lazy(name, make):
    attribute = Lazy(make)
    attribute.name = name
    return attribute


class _Flow:
    reply = _lazy("reply", Reply)

    def match(self, flt):
        """Match a filter, or a text that is one; a filter of None matches."""
        if flt is None or flt == "":
            return True
        return flowfilter.match(flt, self)

    def accept_intercept(self, *args):
        self.resume()


class _HTTPFlow:
    def replace(self, pattern, repl, *args, **kwargs):
        """Replace a regular expression in request and response; return how often it was."""
        count = self.request.replace(pattern, repl, *args, **kwargs)
        if self.response is not None:
            count += self.response.replace(pattern, repl, *args, **kwargs)
        return count

    # What was a WebSocketFlow.

    @property
    def messages(self):
        return OldMessages(_socket(self, "messages"))

    @messages.setter
    def messages(self, messages):
        _socket(self, "messages").messages = [m._it if isinstance(m, OldMessage) else m for m in messages]

    @property
    def handshake_flow(self):
        _socket(self, "handshake_flow")
        return self

    @property
    def close_code(self):
        return _socket(self, "close_code").close_code

    @property
    def close_reason(self):
        return _socket(self, "close_reason").close_reason

    @property
    def close_message(self):
        return _socket(self, "close_message").close_reason or "(message missing)"

    @property
    def close_sender(self):
        return "client" if _socket(self, "close_sender").closed_by_client else "server"

    @property
    def ended(self):
        return _socket(self, "ended").timestamp_end is not None

    @property
    def client_key(self):
        return _head(self.request, "sec-websocket-key")

    @property
    def client_protocol(self):
        return _head(self.request, "sec-websocket-protocol")

    @property
    def client_extensions(self):
        return _head(self.request, "sec-websocket-extensions")

    @property
    def server_accept(self):
        return _head(self.response, "sec-websocket-accept")

    @property
    def server_protocol(self):
        return _head(self.response, "sec-websocket-protocol")

    @property
    def server_extensions(self):
        return _head(self.response, "sec-websocket-extensions")

    def message_info(self, message):
        """Return what a message is, in a line."""
        return "client %s WebSocket %s message %s server%s" % (
            "->" if message.from_client else "<-", message.type.name.lower(),
            "->" if message.from_client else "<-", self.request.path,
        )

    def inject_message(self, endpoint, payload):
        """Send a message, of which there can be none."""
        warn_once("WebSocketFlow.inject_message")


def _socket(f, name):
    """Return a flow's WebSocket; without one it has no such attribute."""
    data = f.websocket
    if data is None:
        raise AttributeError("%r object has no attribute %r" % (type(f).__name__, name))
    return data


def _head(message, name):
    return message.headers.get(name, None) if message is not None else None


class OldMessage:
    """A WebSocket message whose content, if it is text, is a str."""

    def __init__(self, message):
        self.__dict__["_it"] = message

    def __getattr__(self, name):
        return getattr(self._it, name)

    def __setattr__(self, name, value):
        if isinstance(getattr(type(self), name, None), property):
            object.__setattr__(self, name, value)
        else:
            setattr(self._it, name, value)

    def __eq__(self, other):
        return self._it == (other._it if isinstance(other, OldMessage) else other)

    def __hash__(self):
        return hash(self._it)

    def __repr__(self):
        return "%s message: %r" % ("text" if self._it.is_text else "binary", self.content)

    @property
    def content(self):
        content = self._it.content
        return content.decode("utf-8", "surrogateescape") if self._it.is_text else content

    @content.setter
    def content(self, content):
        if isinstance(content, str):
            content = content.encode("utf-8", "surrogateescape")
        if content != self._it.content:
            self._it.content = content

    @property
    def killed(self):
        return self._it.dropped

    @killed.setter
    def killed(self, value):
        self._it.dropped = value

    def kill(self):
        """Mark the message as not passed on."""
        self._it.dropped = True

    def get_state(self):
        return int(self._it.type), self._it.from_client, self.content, self._it.timestamp, self._it.dropped


class OldMessages:
    """The messages of a flow's WebSocket as the list that the flow itself had."""

    def __init__(self, data):
        self._data = data

    def __len__(self):
        return len(self._data.messages)

    def __iter__(self):
        return iter([OldMessage(m) for m in self._data.messages])

    def __getitem__(self, key):
        found = self._data.messages[key]
        return [OldMessage(m) for m in found] if isinstance(key, slice) else OldMessage(found)

    def __delitem__(self, key):
        del self._data.messages[key]

    def append(self, message):
        self._data.messages.append(message._it if isinstance(message, OldMessage) else message)

    def pop(self, index=-1):
        return OldMessage(self._data.messages.pop(index))

    def __repr__(self):
        return repr(list(self))


class _Message:
    is_replay = False  # but see adapters._replayed

    @property
    def body(self):
        return self.content

    @body.setter
    def body(self, content):
        self.content = content

    @property
    def httpversion(self):
        return tuple([int(n) for n in self.http_version.rpartition("/")[2].split(".")])

    @httpversion.setter
    def httpversion(self, version):
        self.http_version = views.version_of(version)

    def get_decoded_content(self):
        return self.get_content(strict=False)

    def replace(self, pattern, repl, flags=0, count=0):
        """Replace a regular expression in headers and content; return how often it was.

        A str has the escapes of a bytes literal.
        """
        import re

        pattern, repl = escaped(pattern), escaped(repl)
        made = 0
        if self.content:
            self.content, made = re.subn(pattern, repl, self.content, flags=flags, count=count)
        return made + self.headers.replace(pattern, repl, flags=flags, count=count)


class _Request:
    @property
    def form_in(self):
        return self.first_line_format

    form_out = form_in

    def replace(self, pattern, repl, flags=0, count=0):
        """Replace a regular expression in headers, path and content; return how often it was."""
        import re

        pattern, repl = escaped(pattern), escaped(repl)
        made = _Message.replace(self, pattern, repl, flags, count)
        path = self.path.encode("utf-8", "surrogateescape")
        path, n = re.subn(pattern, repl, path, flags=flags, count=count)
        if n:
            self.path = path.decode("utf-8", "surrogateescape")
        return made + n

    def update_host_header(self):
        self.headers["Host"] = self.host

    def get_query(self):
        return self.query

    def set_query(self, value):
        self.query = _pairs(value)

    def get_cookies(self):
        return self.cookies

    def set_cookies(self, value):
        self.cookies = _pairs(value)

    def get_form_urlencoded(self):
        return self.urlencoded_form

    def set_form_urlencoded(self, value):
        self.urlencoded_form = _pairs(value)

    def get_form_multipart(self):
        return self.multipart_form

    def get_path_components(self):
        return self.path_components

    def set_path_components(self, components):
        self.path_components = components


def _pairs(value):
    """Return what a MultiDict or an ODict holds as a list of pairs."""
    fields = getattr(value, "fields", None)
    return views._pairs(value) if fields is None else list(fields)


class _Response:
    code = views.ResponseView.code
    msg = views.ResponseView.msg

    def get_cookies(self):
        return self.cookies

    def set_cookies(self, value):
        self.cookies = value


class SetCookie(tuple):
    """What a cookie is set to: its value and its attributes, which 0.18 to 2.x had as names."""

    __slots__ = ()

    @property
    def value(self):
        return self[0]

    @property
    def attrs(self):
        return self[1]


class _Headers:
    def replace(self, pattern, repl, flags=0, count=0):
        """Replace a regular expression in each "name: value" line; return how often it was.

        A line that has no ": " afterwards stays as it was. No more than count are made, if
        that is given.
        """
        import re

        pattern = re.compile(escaped(pattern), flags)
        repl = escaped(repl)
        made, fields = 0, []
        for name, value in self.fields:
            if not count or made < count:
                line, n = pattern.subn(repl, name + b": " + value, count=count and count - made)
                if n and b": " in line:
                    name, value = line.split(b": ", 1)
                    made += n
            fields.append((name, value))
        if made:
            self.fields = tuple(fields)
        return made

    def has_key(self, name):
        return name in self

    def iteritems(self):
        return iter(self.items())

    def get_first(self, name, default=None):
        found = self.get_all(name)
        return found[0] if found else default


class _Connection:
    finished = False

    @property
    def ssl_established(self):
        return self.tls_established

    @property
    def timestamp_ssl_setup(self):
        return self.timestamp_tls_setup

    @property
    def peer_address(self):
        return self.peername

    @property
    def connection(self):
        """The TLS connection, of which the name that was asked for is known."""
        return _Tls(self.sni)

    def send(self, data):
        from _flowkit.errors import NeedsProxy

        raise NeedsProxy(type(self).__name__ + ".send")


class _Tls:
    def __init__(self, sni):
        self.sni = sni

    def get_servername(self):
        return self.sni


class _Master:
    """What ctx.master had."""

    apps = _lazy("apps", lambda self: Apps())
    state = view = _lazy("view", lambda self: View())

    def duplicate_flow(self, f):
        """Return a copy of the flow. It does not become part of the output."""
        return f.copy()

    def replay_request(self, f, *args, **kwargs):
        warn_once("replay_request")

    def load_flow(self, f):
        warn_once("load_flow")


class View:
    """The flows of a user interface, which there are none of."""

    def add(self, flows):
        warn_once("ctx.master.view.add")

    add_flow = add

    def __len__(self):
        return 0

    def __iter__(self):
        return iter(())


def _late(module, provided):
    """Have a module make names when they are asked for, if it has none of its own."""
    before = getattr(module, "__getattr__", None)

    def __getattr__(name):
        if name in provided and name not in module.__dict__:
            value = module.__dict__[name] = provided[name]()
            return value
        if before is not None:
            return before(name)
        raise AttributeError("module %r has no attribute %r" % (module.__name__, name))

    module.__getattr__ = __getattr__


def _from_names(*wanted):
    return {name: (lambda name=name: getattr(names, name)) for name in wanted}


def _name_modules():
    http.HTTPRequest, http.HTTPResponse = names.HTTPRequest, names.HTTPResponse
    http.make_error_response = names.make_error_response
    http.make_connect_request = names.make_connect_request
    http.make_connect_response = names.make_connect_response
    _late(http, {"expect_continue_response": names.expect_continue_response})
    websocket.WebSocketFlow = HTTPFlow
    _late(flow, dict(
        _from_names("FlowReader", "FlowWriter", "FilteredFlowWriter", "FlowReadError", "FlowMaster", "State"),
        ODict=lambda: names.ODict, ODictCaseless=lambda: names.ODictCaseless, decoded=lambda: views.decoded,
    ))
    _late(connection, _from_names("ClientConnection", "ServerConnection"))
    _late(proxy, _from_names("ProxyServer", "ProxyConfig", "DummyServer", "RootContext"))
    _late(net_http, dict(
        {name: (lambda name=name: getattr(http, name)) for name in ("Headers", "Message", "Request", "Response")},
        decoded=lambda: views.decoded,
    ))
    _extend_master()
    _name_events()
    _name_versions()
    _name_scripts()


def _extend_master():
    from mitmproxy import master as module

    for name, value in vars(_Master).items():
        if not name.startswith("__") and not hasattr(module.Master, name):
            setattr(module.Master, name, value)


def _name_events():
    from mitmproxy import eventsequence as module

    from .signs import EVENTS

    if not hasattr(module, "Events"):
        module.Events = EVENTS


def _name_versions():
    from mitmproxy import version as module

    for name, value in (
        ("IVERSION", (2, 0, 0)), ("NAME", "mitmproxy"), ("NAMEVERSION", "mitmproxy " + module.VERSION),
        ("MITMPROXY", "mitmproxy " + module.VERSION),
    ):
        if not hasattr(module, name):
            setattr(module, name, value)


def _name_scripts():
    from mitmproxy import script as module

    module.ScriptContext = ScriptContext
