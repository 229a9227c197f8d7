"""Now mitmproxy.net.http.status_codes."""
from mitmproxy.net.http.status_codes import *  # noqa: F401,F403
