"""A warning of mitmproxy."""
from mitmproxy.utils._live import live_class

ServerSideEvents = live_class(__name__, "ServerSideEvents")
