"""Stopping a proxy that cannot start."""
from mitmproxy.utils._live import live_class

ErrorCheck = live_class(__name__, "ErrorCheck")
