"""HTTP's objects, as in 0.16 to 0.18."""
from _flowkit import legacy
from _flowkit.legacy import names
from _flowkit.legacy.names import (  # noqa: F401
    Error, Flow, HTTPRequest, HTTPResponse, expect_continue_response as _expect_continue_response,
    make_connect_request, make_connect_response, make_error_response,
)
from _flowkit.legacy.views import decoded  # noqa: F401
from mitmproxy.http import HTTPFlow, Headers  # noqa: F401
from mitmproxy.tcp import TCPFlow

legacy.install()
expect_continue_response = _expect_continue_response()
FLOW_TYPES = {"http": HTTPFlow, "tcp": TCPFlow}
__getattr__ = names.lazy("ClientConnection", "ServerConnection")
