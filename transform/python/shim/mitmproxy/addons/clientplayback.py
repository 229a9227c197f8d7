"""Sending requests again."""
from mitmproxy.utils._live import live_class

ClientPlayback = live_class(__name__, "ClientPlayback")
ReplayHandler = live_class(__name__, "ReplayHandler")
MockServer = live_class(__name__, "MockServer")
