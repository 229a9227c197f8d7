"""Exceptions of the scripting API.

The names up to 6.x that no longer exist in mitmproxy are classes here too, made when a script
imports one: an `except` clause of an old script must name something.
"""


class MitmproxyException(Exception):
    """The base of most of the exceptions below."""

    def __init__(self, message=None):
        super().__init__(message)


class FlowReadException(MitmproxyException):
    """A flow file cannot be read."""


class ControlException(MitmproxyException):
    """A flow cannot be killed, resumed and the like."""


class CommandError(Exception):
    """A command is unknown, has bad arguments or failed."""


class OptionsError(MitmproxyException):
    """An option has a bad value. Raised by `configure`, it undoes the update."""


class AddonManagerError(MitmproxyException):
    """An addon cannot be added, removed or called."""


class AddonHalt(MitmproxyException):
    """Raised by a hook to keep the event from the addons behind it."""


class TypeError(MitmproxyException, ValueError):
    """A text is no value of a command's argument type.

    It is a ValueError as well because that is what later versions raise.
    """


# Name -> name of the base.
_OLD = {
    "Kill": "MitmproxyException",
    "ProxyException": "MitmproxyException",
    "ProtocolException": "ProxyException",
    "TlsProtocolException": "ProtocolException",
    "ClientHandshakeException": "TlsProtocolException",
    "InvalidServerCertificate": "TlsProtocolException",
    "Socks5ProtocolException": "ProtocolException",
    "HttpProtocolException": "ProtocolException",
    "Http2ProtocolException": "ProtocolException",
    "Http2ZombieException": "ProtocolException",
    "ServerException": "ProxyException",
    "ContentViewException": "MitmproxyException",
    "FilterException": "MitmproxyException",
    "PathTypeException": "MitmproxyException",
    "ReplayException": "MitmproxyException",
    "ScriptException": "MitmproxyException",
    "SetServerNotAllowedException": "MitmproxyException",
    "NetlibException": "MitmproxyException",
    "HttpException": "NetlibException",
    "HttpReadDisconnect": "HttpException",
    "HttpSyntaxException": "HttpException",
    "TcpException": "NetlibException",
    "TcpDisconnect": "TcpException",
    "TcpReadIncomplete": "TcpException",
    "TcpTimeout": "TcpException",
    "TlsException": "NetlibException",
    "InvalidCertificateException": "TlsException",
}


def __getattr__(name):
    try:
        base = _OLD[name]
    except KeyError:
        raise AttributeError(
            "module %r has no attribute %r" % (__name__, name)
        ) from None
    made = globals().get(base) or __getattr__(base)
    cls = type(name, (made,), {"__module__": __name__})
    globals()[name] = cls
    return cls
