"""Events of connections, and what scripts may ask of a live proxy."""
import sys

from . import diff, errors, hooks

NOTHING = object()  # the argument of hooks that take none

CLIENT, SERVER = 0, 1

# Hooks of live traffic.
NAMES = frozenset(
    "client_connected client_disconnected server_connect server_connected server_disconnected server_connect_error"
    " http_connect http_connect_upstream http_connected http_connect_error tls_clienthello tls_start_client"
    " tls_start_server tls_established_client tls_established_server tls_failed_client tls_failed_server"
    " socks5_auth next_layer tick clientconnect clientdisconnect serverconnect serverdisconnect".split()
)
# Names of up to 6.x.
_OLD = {
    "client_connected": "clientconnect", "client_disconnected": "clientdisconnect",
    "server_connect": "serverconnect", "server_disconnected": "serverdisconnect",
}
_OF_SERVER = ("tls_start_server", "tls_established_server", "tls_failed_server")
_TLS = _OF_SERVER + ("tls_start_client", "tls_established_client", "tls_failed_client")
# Layers that a script may choose, and what they are called.
_LAYERS = (
    ("mitmproxy.proxy.layers.tcp", "TCPLayer", "tcp"), ("mitmproxy.proxy.layers.udp", "UDPLayer", "udp"),
    ("mitmproxy.proxy.layers.dns", "DNSLayer", "dns"), ("mitmproxy.proxy.layers.http", "HttpLayer", "http"),
    ("mitmproxy.proxy.layers.tls", "ClientTLSLayer", "tls"),
)


def install(live):
    """Give scripts what only a live proxy has."""
    hooks.NAMES = hooks.NAMES | NAMES
    errors.NeedsProxy.why = "mitmproxy's own proxy, which flowkit's is not"
    _killing(live)
    _layers()
    master = live.bridge.master
    master.__dict__["shutdown"] = live.shutdown
    master.event_loop = live.loop
    master.live = live
    _commands(live, master)


def _killing(live):
    from mitmproxy.flow import Error, Flow

    plain = Flow.kill

    def kill(self):
        """Kills the flow: its connection is closed."""
        if sys._getframe(1).f_globals.get("__flowkit_era__"):
            self.error = Error(Error.KILLED_MESSAGE)
            self.intercepted = False
        else:
            plain(self)
        live.killed(self)

    Flow.kill = kill


def _layers():
    from importlib import import_module

    def ready(cls, name):
        def __init__(self, context, *args, **kwargs):
            child = kwargs.get("child_layer")
            if child is not None:
                raise NotImplementedError("a %s around another layer needs mitmproxy's own proxy" % cls.__name__)
            self.context = context
            self.ignore = bool(kwargs.get("ignore", name in ("tcp", "udp") and args and args[0]))

        cls.__init__ = __init__
        cls._flowkit_protocol = name
        cls.__repr__ = lambda self: "%s()" % cls.__name__

    for module, name, protocol in _LAYERS:
        ready(getattr(import_module(module), name), protocol)


def _commands(live, master):
    if not master.stock:
        return
    from mitmproxy import exceptions
    from mitmproxy.flow import Flow

    def check(flow, kinds, what):
        if flow.type not in kinds or what == "websocket" and flow.websocket is None or not flow.live:
            raise exceptions.CommandError("Flow is not a live %s flow." % what)

    def inject_websocket(flow: Flow, to_client: bool, message: bytes, is_text: bool = True) -> None:
        """Send a message within a WebSocket conversation."""
        check(flow, ("http",), "websocket")
        live.inject(flow, to_client, 1 if is_text else 2, message)

    def inject_tcp(flow: Flow, to_client: bool, message: bytes) -> None:
        """Send bytes within a TCP or UDP conversation."""
        check(flow, ("tcp", "udp"), "TCP")
        live.inject(flow, to_client, 0, message)

    def shutdown() -> None:
        """End the proxy."""
        live.shutdown()

    def add():
        # Annotations are texts in no version: they are looked up as types.
        for name, function in (
            ("inject.websocket", inject_websocket), ("inject.tcp", inject_tcp), ("inject.udp", inject_tcp),
            ("mitmproxy.shutdown", shutdown),
        ):
            commands.add(name, function)

    commands = master.commands
    add()


class _Layer:
    """What hooks of up to 6.x got of a client: the first layer of its connection."""

    def __init__(self, client, server):
        self.client_conn = client
        self.server_conn = server
        self.ctx = self

    def __getattr__(self, name):
        return getattr(self.client_conn, name)


class Data:
    """The argument of an event of a connection, and what became of it."""

    def __init__(self, live, hook, extra):
        self.live = live
        self.hook = hook
        self.client = self.server = self.arg = None
        if hook == "tick":
            self.arg = NOTHING
            return
        if hook == "add_log":
            from mitmproxy.log import LogEntry

            self.arg = LogEntry(extra[2][1], extra[2][0])
            return
        if extra[0] is not None:
            self.client = live.conn(CLIENT, extra[0])
        if extra[1] is not None:
            self.server = live.conn(SERVER, extra[1])
        self._remember()
        self.arg = self._argument(extra[2])

    def _remember(self):
        """Keep a connection as long as it is open: scripts may have put something into the object."""
        kept = self.live.kept
        ends = ("client_disconnected", "server_disconnected", "server_connect_error")
        for conn in (self.client, self.server):
            if conn is None or self.hook.startswith("client") and conn is self.server:
                continue
            if self.hook in ends and conn is (self.client if self.hook == ends[0] else self.server):
                kept.pop(conn.id, None)
            elif self.hook in ("client_connected", "server_connect", "server_connected"):
                kept[conn.id] = conn

    def _context(self):
        from mitmproxy.proxy.context import Context

        context = Context(self.client, self.live.bridge.options)
        if self.server is not None:
            context.server = self.server
        return context

    def _argument(self, more):
        hook = self.hook
        if hook in ("client_connected", "client_disconnected"):
            return self.client
        if hook.startswith("server_"):
            from mitmproxy.proxy.server_hooks import ServerConnectionHookData

            return ServerConnectionHookData(self.server, self.client)
        if hook == "tls_clienthello":
            from mitmproxy.tls import ClientHelloData

            return ClientHelloData(self._context(), _hello(more))
        if hook in _TLS:
            from mitmproxy.tls import TlsData

            return TlsData(self.server if hook in _OF_SERVER else self.client, self._context())
        if hook == "socks5_auth":
            from mitmproxy.proxy.layers.modes import Socks5AuthData

            return Socks5AuthData(self.client, *more)
        return NextLayer(self._context(), *more)

    def calls(self, calls):
        """Return the calls of the hooks, with their arguments, those of up to 6.x behind the others."""
        calls = [(script, call, self.arg) for script, call, _ in calls]
        old = _OLD.get(self.hook)
        for script, all_ in self.live.bridge.hooks.get(old, ()):
            arg = self.server if "server" in old else _Layer(self.client, self.server)
            calls += [(script, call, arg) for call in all_]
        return calls

    def changes(self):
        """Return (client's ops, server's ops, ignore, server first, protocol, valid), None for no change."""
        if self.client is None and self.server is None:
            return None
        data, ignore, first, protocol, valid = self.arg, False, False, None, False
        if self.hook == "tls_clienthello":
            ignore, first = bool(data.ignore_connection), bool(data.establish_server_tls_first)
        elif self.hook == "next_layer" and data.layer is not None:
            protocol, ignore = data.choice()
        elif self.hook == "socks5_auth":
            valid = bool(data.valid)
        elif self.hook in _TLS and data.ssl_conn is not None:
            raise NotImplementedError("%s: ssl_conn has no meaning here: flowkit's TLS is not pyOpenSSL's" % self.hook)
        client = server = None
        if self.client is not None:
            client = diff._conn(self.client, "client_conn")
        if self.hook.startswith("server_") and data.server is not self.server:
            self.server = data.server
        if self.server is not None:
            server = diff._conn(self.server, "server_conn")
        if not (client or server or ignore or first or protocol or valid):
            return None
        return client, server, ignore, first, protocol, valid


def _hello(more):
    from mitmproxy.tls import ClientHello

    raw, sni, alpn, ciphers = more
    if raw:
        return ClientHello(raw)
    return _Hello(sni, alpn, ciphers)


class _Hello:
    """A ClientHello of which only this is known."""

    def __init__(self, sni, alpn, ciphers):
        self.sni = sni
        self.alpn_protocols = list(alpn)
        self.cipher_suites = list(ciphers)
        self.extensions = []

    def raw_bytes(self, wrap_in_record=True):
        raise NotImplementedError("the bytes of the ClientHello are not known")


class NextLayer:
    """What next_layer is given: a script may set `layer`."""

    def __init__(self, context, protocol, client, server):
        self.context = context
        self.layer = None
        self.events = []
        self.protocol = protocol  # flowkit's own: what it will be
        self._client, self._server = client, server

    def data_client(self):
        """The bytes that the client sent so far."""
        return self._client

    def data_server(self):
        """The bytes that the server sent so far."""
        return self._server

    def choice(self):
        """Return (protocol, whether it is passed on as it is)."""
        protocol = getattr(self.layer, "_flowkit_protocol", None)
        if protocol is None:
            raise NotImplementedError(
                "next_layer: %r cannot be chosen: it is a layer of mitmproxy's own proxy. There are TCPLayer, UDPLayer,"
                " DNSLayer, HttpLayer and ClientTLSLayer" % (self.layer,)
            )
        return protocol, self.layer.ignore

    def __repr__(self):
        return "NextLayer:%r" % (self.layer,)
