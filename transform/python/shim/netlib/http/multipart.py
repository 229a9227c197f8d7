"""Now mitmproxy.net.http.multipart."""
from mitmproxy.net.http.multipart import *  # noqa: F401,F403
