"""Answering from saved flows."""
from mitmproxy.utils._live import live_class

ServerPlayback = live_class(__name__, "ServerPlayback")
