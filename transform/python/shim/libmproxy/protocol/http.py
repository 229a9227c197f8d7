"""HTTP's objects, as in 0.10 to 0.13."""
from _flowkit.legacy import names
from _flowkit.legacy.names import KILL, Error, ListRequest as HTTPRequest, ListResponse as HTTPResponse, ODict, ODictCaseless  # noqa: F401
from _flowkit.legacy.views import decoded  # noqa: F401
from mitmproxy.http import HTTPFlow  # noqa: F401

HDR_FORM_URLENCODED = "application/x-www-form-urlencoded"
CONTENT_MISSING = None
__getattr__ = names.lazy("HTTPMessage", "HTTPHandler", "HttpLayer", "UpstreamConnectLayer", "RequestReplayThread", "ServerConnection")


def send_connect_request(conn, host, port, update_state=True):
    """Ask an upstream proxy for a connection."""
    from _flowkit.errors import NeedsProxy

    raise NeedsProxy("send_connect_request")
