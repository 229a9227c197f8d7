"""Passwords of a second proxy."""
from mitmproxy.utils._live import live_class

UpstreamAuth = live_class(__name__, "UpstreamAuth")
