"""The old names of classes and functions, which make the objects of today."""
import time

from mitmproxy import http
from mitmproxy.exceptions import Kill  # what flow.reply() takes to kill a flow
from mitmproxy.flow import Error, Flow  # noqa: F401

from . import views
from .odict import ODict, ODictCaseless  # noqa: F401
from .text import to_bytes, to_text


KILL = Kill


class _Alias(type):
    """The type of a class that stands for one of today.

    Calling the class makes an object of the other, with the arguments of old; instances of
    that are its own. What a script derives from it is a class like any other.
    """

    def __call__(cls, *args, **kwargs):
        make = cls.__dict__.get("_make")
        if make is None:
            return type.__call__(cls, *args, **kwargs)
        return make.__get__(None, cls)(*args, **kwargs)

    def __instancecheck__(cls, instance):
        if "_make" in cls.__dict__:
            return isinstance(instance, cls.__mro__[1])
        return type.__instancecheck__(cls, instance)

    def __subclasscheck__(cls, other):
        if "_make" in cls.__dict__:
            return issubclass(other, cls.__mro__[1])
        return type.__subclasscheck__(cls, other)


def _headers(headers):
    if isinstance(headers, dict):
        return http.Headers(tuple([(to_bytes(k), to_bytes(v)) for k, v in headers.items()]))
    return views.headers_of(headers)


class HTTPResponse(http.Response, metaclass=_Alias):
    """A response; up to 5.2 made of version, code, reason, headers and content."""

    @classmethod
    def _make(
        cls, http_version, status_code, reason, headers=None, content=None,
        timestamp_start=None, timestamp_end=None, is_replay=False, **more
    ):
        trailers = more.pop("trailers", None)
        if timestamp_start is None or isinstance(timestamp_start, http.Headers):
            # 5.3 and 6.x: trailers come before the times.
            if isinstance(is_replay, (int, float)) and not isinstance(is_replay, bool) or is_replay is None:
                trailers, timestamp_start, timestamp_end = timestamp_start, timestamp_end, is_replay
        start = time.time() if timestamp_start is None else timestamp_start
        return http.Response(
            to_bytes(views.version_of(http_version)), int(status_code), to_bytes(reason or ""), _headers(headers),
            to_bytes(content), trailers, start, start if timestamp_end is None else timestamp_end,
        )

    @classmethod
    def make(cls, *args, **kwargs):
        return http.Response.make(*args, **kwargs)

    @classmethod
    def wrap(cls, response):
        """Return a response of netlib's as one of mitmproxy's, which were two things."""
        return response


class HTTPRequest(http.Request, metaclass=_Alias):
    """A request; up to 5.2 made of its first line's form and parts, headers and content."""

    # A script of up to 0.13 changed it; nothing is stripped off here.
    _headers_to_strip_off = ["Proxy-Connection", "Keep-Alive", "Connection", "Transfer-Encoding", "Upgrade"]

    @classmethod
    def _make(cls, *args, **kwargs):
        forms = ("relative", "absolute", "authority", "origin", "asterisk")
        if kwargs.get("first_line_format", kwargs.get("form_in", args[0] if args else None)) not in forms:
            return http.Request(*args, **kwargs)
        return cls._old(*args, **kwargs)

    @classmethod
    def _old(
        cls, first_line_format=None, method="GET", scheme="http", host="", port=80, path="/", http_version="HTTP/1.1",
        headers=None, content=None, timestamp_start=None, timestamp_end=None, *more, **others
    ):
        form = others.get("form_in", first_line_format)
        http_version = others.get("httpversion", http_version)
        start = time.time() if timestamp_start is None else timestamp_start
        host = to_text(host or "")
        authority = "" if form in ("relative", "origin", "asterisk") else "%s:%d" % (host, port)
        return http.Request(
            host, port, to_bytes(method), to_bytes(scheme or ""), to_bytes(authority), to_bytes(path or ""),
            to_bytes(views.version_of(http_version)), _headers(headers), to_bytes(content), None,
            start, start if timestamp_end is None else timestamp_end,
        )

    @classmethod
    def make(cls, *args, **kwargs):
        return http.Request.make(*args, **kwargs)

    @classmethod
    def wrap(cls, request):
        return request


class OldResponse(HTTPResponse, metaclass=_Alias):
    """HTTPResponse of 0.14 to 0.17: what is made is a view."""

    view = views.ResponseView

    @classmethod
    def _make(cls, *args, **kwargs):
        return cls.view(HTTPResponse(*args, **kwargs))

    @classmethod
    def make(cls, *args, **kwargs):
        return cls.view(http.Response.make(*args, **kwargs))


class OldRequest(HTTPRequest, metaclass=_Alias):
    """HTTPRequest of 0.14 to 0.17: what is made is a view."""

    view = views.RequestView

    @classmethod
    def _make(cls, *args, **kwargs):
        return cls.view(HTTPRequest(*args, **kwargs))


class ListResponse(OldResponse, metaclass=_Alias):
    """HTTPResponse of up to 0.13, and before 0.10 Response, which had the request before the rest."""

    view = views.ListResponse

    @classmethod
    def _make(cls, *args, **kwargs):
        if args and (args[0] is None or isinstance(args[0], (http.Request, Flow))):
            args = args[1:]
        if args and isinstance(args[0], int):
            args = ((1, 1),) + args
        if len(args) > 5 and (args[5] is None or isinstance(args[5], (str, bytes))):
            args = args[:5] + args[6:]  # the server's certificate
        return cls.view(HTTPResponse(*args, **kwargs))


class ListRequest(OldRequest, metaclass=_Alias):
    """HTTPRequest of up to 0.13, and before 0.10 Request, which had the client before the rest."""

    view = views.ListRequest

    @classmethod
    def _make(cls, *args, **kwargs):
        if args and not isinstance(args[0], str):
            args = args[1:]
            if args and isinstance(args[0], (tuple, list)):
                version, args = args[0], args[1:]
            else:
                version = (1, 1)
            host, port, scheme, method, path, headers, content = args[:7]
            args = ("relative", method, scheme, host, port, path, version, headers, content) + args[7:]
        return cls.view(HTTPRequest(*args, **kwargs))


def _connections():
    from mitmproxy.connection import Client, Server

    class ClientConnection(Client, metaclass=_Alias):
        """A client's connection."""

        @classmethod
        def _make(cls, client_connection=None, address=None, server=None):
            return Client(peername=address, sockname=None, timestamp_start=time.time())

        @classmethod
        def make_dummy(cls, address):
            return cls._make(None, address)

    class ServerConnection(Server, metaclass=_Alias):
        """A connection to a server."""

        @classmethod
        def _make(cls, address=None, source_address=None, spoof_source_address=None):
            server = Server(address=address)
            server.sockname = source_address
            return server

        @classmethod
        def make_dummy(cls, address):
            return cls._make(address)

    return {"ClientConnection": ClientConnection, "ServerConnection": ServerConnection}


def needs_proxy(name):
    """Return a class that cannot be made, but derived from and asked for with isinstance()."""

    def refuse(self, *args, **kwargs):
        from _flowkit.errors import NeedsProxy

        raise NeedsProxy(name)

    return type(name, (), {"__init__": refuse, "__module__": __name__})


LIVE = (
    "FlowMaster", "DumpMaster", "State", "ProxyServer", "ProxyConfig", "DummyServer", "ConnectionHandler", "Layer",
    "ServerConnectionMixin", "TlsLayer", "TlsClientHello", "RawTCPLayer", "TCPHandler", "TCPLayer", "HttpLayer",
    "Http1Layer", "Http2Layer", "HTTPHandler", "UpstreamConnectLayer", "WebSocketLayer", "RootContext",
    "RequestReplayThread", "Channel", "Master", "Server", "Address", "ProtocolHandler", "LiveConnection",
)


def __getattr__(name):
    """Make what scripts only name: classes of the live proxy, and what starts slowly."""
    if name in ("ClientConnection", "ServerConnection"):
        globals().update(_connections())
    elif name in LIVE:
        globals()[name] = needs_proxy(name)
    elif name == "WebSocketFlow":
        globals()[name] = http.HTTPFlow
    elif name in ("Message", "HTTPMessage"):
        globals()[name] = http.Message
    elif name == "FlowReadError":
        from mitmproxy.exceptions import FlowReadException

        globals()[name] = FlowReadException
    elif name in ("FlowReader", "FlowWriter", "FilteredFlowWriter"):
        from mitmproxy import io

        globals()[name] = getattr(io, name)
    else:
        raise AttributeError("module %r has no attribute %r" % (__name__, name))
    return globals()[name]


def lazy(*names):
    """Return a module's __getattr__ for names of this one."""

    def __getattr__(name):
        if name in names:
            return globals().get(name) or globals()["__getattr__"](name)
        raise AttributeError(name)

    return __getattr__


def make_error_response(status_code, message="", headers=None):
    """Return a page that tells of an error."""
    import html

    from mitmproxy import version
    from mitmproxy.net.http import status_codes

    reason = status_codes.RESPONSES.get(status_code, "Unknown")
    title = "%d %s" % (status_code, reason)
    body = "<html><head><title>%s</title></head><body><h1>%s</h1><p>%s</p></body></html>" % (
        title, title, html.escape(to_text(message)),
    )
    content = body.encode("utf-8", "replace")
    if not headers:
        headers = http.Headers(
            Server=version.MITMPROXY, Connection="close", Content_Length=str(len(content)), Content_Type="text/html"
        )
    return HTTPResponse("HTTP/1.1", status_code, reason, headers, content)


def make_connect_request(address):
    return HTTPRequest("authority", "CONNECT", "", address[0], address[1], "", "HTTP/1.1", None, b"")


def make_connect_response(http_version):
    return HTTPResponse(http_version, 200, "Connection established", None, b"")


def expect_continue_response():
    return HTTPResponse("HTTP/1.1", 100, "Continue", None, b"")
