"""Now mitmproxy.net.http.cookies."""
from mitmproxy.net.http.cookies import *  # noqa: F401,F403
