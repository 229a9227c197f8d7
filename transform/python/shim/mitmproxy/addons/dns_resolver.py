"""Answering DNS."""
from mitmproxy.utils._live import live_class

DnsResolver = live_class(__name__, "DnsResolver")
