"""Now mitmproxy.net.http.url."""
from mitmproxy.net.http.url import *  # noqa: F401,F403
