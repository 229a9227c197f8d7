"""Now mitmproxy.net.http.http1."""
from mitmproxy.net.http.http1 import *  # noqa: F401,F403
