"""Certificates of a proxy."""
from mitmproxy.utils._live import live_class

TlsConfig = live_class(__name__, "TlsConfig")
AppData = live_class(__name__, "AppData")
