"""Status codes, as up to 0.13."""
from mitmproxy.net.http.status_codes import *  # noqa: F401,F403
from mitmproxy.net.http.status_codes import RESPONSES  # noqa: F401
