"""Rewriting answers of DNS."""
from mitmproxy.utils._live import live_class

StripDnsHttpsRecords = live_class(__name__, "StripDnsHttpsRecords")
