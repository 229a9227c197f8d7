"""Answering from files."""
from mitmproxy.utils._live import live_class

MapLocal = live_class(__name__, "MapLocal")
MapLocalSpec = live_class(__name__, "MapLocalSpec")
