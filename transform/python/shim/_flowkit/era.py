"""Whether a script may be of before mitmproxy 7, by its text alone.

A false alarm costs an import, so a word in a comment does no harm; that a script is of
today is seen without importing anything.
"""

# What scripts of before 7.0 use and newer ones do not.
_USES = (
    "libmproxy", "netlib", "HTTPResponse", "HTTPRequest", "WebSocketFlow", "mitmproxy.models", "mitmproxy import models",
    "mitmproxy.filt", "mitmproxy import filt", "mitmproxy.connections", "mitmproxy import connections",
    "mitmproxy.protocol", "proxy.protocol", "mitmproxy.controller", "mitmproxy import controller", "mitmproxy.events",
    "mitmproxy import events", "mitmproxy.builtins", "net.http import Headers", "net.http import Re",
    "net.http.Headers", "net.http.Re", "net.tcp", "wsgiapp", "with decoded(", ".reply(", ".reply.", "handshake_flow",
    ".killed", "accept_intercept", "eventsequence.Events", "get_form_urlencoded", ".response.replace(",
    ".request.replace(", ".headers.replace(", "flow.replace(", "flow.match(", "address.address", "_conn.connected()",
    "ssl_established", "timestamp_ssl_setup", "request.is_replay", "response.is_replay", "duplicate_flow",
    "replay_request", "master.apps", "get_servername", "flow.FlowWriter", "flow.FlowReader",
    "mitmproxy.flow import FlowWriter", "mitmproxy.flow import FlowReader",
)
# What newer ones may have too: hooks, methods of up to 0.17.
_MAY_BE = (
    "clientconnect", "clientdisconnect", "serverconnect", "serverdisconnect", "websocket_handshake",
    "websockets_handshake", "websocket_error", "def tick(", "def log(", "def start(", "(context", "(ctx,", "(ctx)",
    "(_context", "ODict", "decoded", "get_first(", ".body", ".httpversion", "controller", "master.view",
)

_HOOKS = ("request", "response", "responseheaders", "error", "done", "tcp_message")


def uses(source):
    """Tell whether a script uses something that only mitmproxy before 7.0 has."""
    for word in _USES:
        if word in source:
            return True
    # Messages of a WebSocket were those of the flow itself.
    return "websocket_" in source and ".messages" in source and ".websocket" not in source


def wanted(source):
    """Tell whether a script may be of before 7.0: it is to be looked at once it has run."""
    if uses(source):
        return True
    for word in _MAY_BE:
        if word in source:
            return True
    if _parameters(source, "def configure(", ("self", "cls")) > 1:
        return True
    # A stream's function took a generator of all chunks.
    if ".stream" in source and " in chunks" in source:
        return True
    # A context may have any name.
    return any(_parameters(source, "\ndef %s(" % name, ()) > (name != "done") for name in _HOOKS)


def _parameters(source, start, but):
    """Return the most parameters that a function has whose definition starts so."""
    most = 0
    at = source.find(start)
    while at >= 0:
        end = source.find(")", at)
        found = source[at + len(start):end].split(",") if end > 0 else ()
        found = [p for p in found if p.strip() and "=" not in p and p.split(":")[0].strip() not in but]
        most = max(most, len(found))
        at = source.find(start, at + 1)
    return most
