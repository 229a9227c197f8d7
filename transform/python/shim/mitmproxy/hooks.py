"""The events that addons are told about, as objects.

The classes of every event live here, whatever module of mitmproxy has them: `of_module` gives
those of one. Most runs need few of them, so they are made when somebody asks.
"""

_HTTP_HOOKS = "mitmproxy.proxy.layers.http._hooks"
_LAYERS = "mitmproxy.proxy.layers."
_SERVER = "mitmproxy.proxy.server_hooks"

# Class name without "Hook", module, event (None: after the class), arguments.
_TABLE = (
    ("AddLog", "mitmproxy.log", None, ("entry",)),
    ("NextLayer", "mitmproxy.proxy.layer", None, ("data",)),
    ("TcpStart", _LAYERS + "tcp", None, ("flow",)),
    ("TcpMessage", _LAYERS + "tcp", None, ("flow",)),
    ("TcpEnd", _LAYERS + "tcp", None, ("flow",)),
    ("TcpError", _LAYERS + "tcp", None, ("flow",)),
    ("UdpStart", _LAYERS + "udp", None, ("flow",)),
    ("UdpMessage", _LAYERS + "udp", None, ("flow",)),
    ("UdpEnd", _LAYERS + "udp", None, ("flow",)),
    ("UdpError", _LAYERS + "udp", None, ("flow",)),
    ("TlsClienthello", _LAYERS + "tls", None, ("data",)),
    ("TlsStartClient", _LAYERS + "tls", None, ("data",)),
    ("TlsStartServer", _LAYERS + "tls", None, ("data",)),
    ("TlsEstablishedClient", _LAYERS + "tls", None, ("data",)),
    ("TlsEstablishedServer", _LAYERS + "tls", None, ("data",)),
    ("TlsFailedClient", _LAYERS + "tls", None, ("data",)),
    ("TlsFailedServer", _LAYERS + "tls", None, ("data",)),
    ("QuicStartClient", _LAYERS + "quic._hooks", None, ("data",)),
    ("QuicStartServer", _LAYERS + "quic._hooks", None, ("data",)),
    ("Socks5Auth", _LAYERS + "modes", None, ("data",)),
    ("DnsRequest", _LAYERS + "dns", None, ("flow",)),
    ("DnsResponse", _LAYERS + "dns", None, ("flow",)),
    ("DnsError", _LAYERS + "dns", None, ("flow",)),
    ("WebsocketStart", _LAYERS + "websocket", None, ("flow",)),
    ("WebsocketMessage", _LAYERS + "websocket", None, ("flow",)),
    ("WebsocketEnd", _LAYERS + "websocket", None, ("flow",)),
    ("HttpRequestHeaders", _HTTP_HOOKS, "requestheaders", ("flow",)),
    ("HttpRequest", _HTTP_HOOKS, "request", ("flow",)),
    ("HttpResponseHeaders", _HTTP_HOOKS, "responseheaders", ("flow",)),
    ("HttpResponse", _HTTP_HOOKS, "response", ("flow",)),
    ("HttpError", _HTTP_HOOKS, "error", ("flow",)),
    ("HttpConnect", _HTTP_HOOKS, None, ("flow",)),
    ("HttpConnectUpstream", _HTTP_HOOKS, None, ("flow",)),
    ("HttpConnected", _HTTP_HOOKS, None, ("flow",)),
    ("HttpConnectError", _HTTP_HOOKS, None, ("flow",)),
    ("ClientConnected", _SERVER, None, ("client",)),
    ("ClientDisconnected", _SERVER, None, ("client",)),
    ("ServerConnect", _SERVER, None, ("data",)),
    ("ServerConnected", _SERVER, None, ("data",)),
    ("ServerDisconnected", _SERVER, None, ("data",)),
    ("ServerConnectError", _SERVER, None, ("data",)),
)

_registered = {}


def _event_name(class_name):
    """TcpStartHook -> tcp_start: a run of capitals that is not at the beginning gets a `_`."""
    name = class_name.replace("Hook", "")
    found = name[:1]
    for i in range(1, len(name)):
        if name[i].isupper() and (i == 1 or not name[i - 1].isupper()):
            found += "_"
        found += name[i]
    return found.lower()


class Hook:
    """The base of all events. `name` is that of the method of addons.

    A subclass is a dataclass whose fields are the arguments of that method; those of the table
    have `_args` in place of that.
    """

    name = ""
    _args = None

    def __new__(cls, *args, **kwargs):
        if cls is Hook:
            raise TypeError("Hook may not be instantiated directly.")
        if cls._args is None and not hasattr(cls, "__dataclass_fields__"):
            raise TypeError("Subclass is not a dataclass.")
        return super().__new__(cls)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            cls.name = _event_name(cls.__name__)
        if not cls.name:
            return
        if cls.__module__ != __name__:
            _make_all()
        other = _registered.get(cls.name)
        if other is not None:
            import warnings

            warnings.warn(
                "Two conflicting event classes for %s: %s and %s"
                % (cls.name, cls, other),
                RuntimeWarning,
                stacklevel=2,
            )
        _registered[cls.name] = cls
        # A dataclass would compare by value and be unhashable.
        cls.__eq__ = object.__eq__
        cls.__hash__ = object.__hash__

    def _names(self):
        if self._args is not None:
            return self._args
        import dataclasses

        return [field.name for field in dataclasses.fields(self)]

    def args(self):
        """The arguments for the method."""
        return [getattr(self, name) for name in self._names()]

    def __repr__(self):
        shown = ["%s=%r" % (name, getattr(self, name)) for name in self._names()]
        return "%s(%s)" % (type(self).__name__, ", ".join(shown))


class _NoArgument(Hook):
    name = ""
    _args = ()


class ConfigureHook(Hook):
    """Options were changed; also at the beginning, with all of them."""

    _args = ("updated",)

    def __init__(self, updated):
        self.updated = updated


class DoneHook(_NoArgument):
    """The addon is removed, or the run ends."""

    name = "done"


class RunningHook(_NoArgument):
    """Everything is loaded and configured."""

    name = "running"


class UpdateHook(Hook):
    """Flows may have been changed by an addon."""

    _args = ("flows",)

    def __init__(self, flows):
        self.flows = flows


class LoadHook(Hook):
    """The addon is added: the time to declare options and commands."""

    _args = ("loader",)

    def __init__(self, loader):
        self.loader = loader


LoadHook.__module__ = "mitmproxy.addonmanager"


def _with_flow(self, flow):
    self.flow = flow


def _with_data(self, data):
    self.data = data


def _with_client(self, client):
    self.client = client


def _with_entry(self, entry):
    self.entry = entry


_INITS = {
    "flow": _with_flow,
    "data": _with_data,
    "client": _with_client,
    "entry": _with_entry,
}

_made = False


def _make_all():
    """Makes the classes of the table."""
    global _made
    if _made:
        return
    _made = True
    for short, module, event, args in _TABLE:
        fields = {"__module__": __name__, "_args": args, "__init__": _INITS[args[0]]}
        if event is not None:
            fields["name"] = event
        cls = type(short + "Hook", (Hook,), fields)
        cls.__module__ = module
        globals()[cls.__name__] = cls


def of_module(name):
    """The event classes that a module of mitmproxy has: {class name: class}."""
    _make_all()
    found = {}
    for cls in list(_registered.values()):
        if cls.__module__ == name or cls.__module__.startswith(name + "._"):
            found[cls.__name__] = cls
    return found


def __getattr__(name):
    if name == "all_hooks":
        _make_all()
        globals()["all_hooks"] = _registered
        return _registered
    if name.endswith("Hook"):
        _make_all()
        if name in globals():
            return globals()[name]
    raise AttributeError("module %r has no attribute %r" % (__name__, name))
