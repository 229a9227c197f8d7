"""The filter language, as up to 0.15."""
from mitmproxy.filt import *  # noqa: F401,F403
from mitmproxy.filt import parse  # noqa: F401
