"""Now mitmproxy.net.http.headers."""
from mitmproxy.net.http.headers import *  # noqa: F401,F403
