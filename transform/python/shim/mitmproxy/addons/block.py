"""Keeping clients out."""
from mitmproxy.utils._live import live_class

Block = live_class(__name__, "Block")
