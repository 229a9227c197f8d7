"""HTTP's objects, as in 0.14 and 0.15."""
from _flowkit.legacy import names
from _flowkit.legacy.names import (  # noqa: F401
    Error, Flow, OldRequest as HTTPRequest, OldResponse as HTTPResponse,
    expect_continue_response as _expect_continue_response, make_connect_request, make_connect_response,
    make_error_response,
)
from _flowkit.legacy.views import decoded  # noqa: F401
from mitmproxy.http import HTTPFlow, Headers  # noqa: F401

expect_continue_response = _expect_continue_response()
__getattr__ = names.lazy("ClientConnection", "ServerConnection")
