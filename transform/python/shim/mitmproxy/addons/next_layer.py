"""Guessing protocols."""
from mitmproxy.utils._live import live_class

NextLayer = live_class(__name__, "NextLayer")
