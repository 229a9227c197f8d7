"""The log of the console."""
from mitmproxy.utils._live import live_class

EventStore = live_class(__name__, "EventStore")
