"""Going on after a file."""
from mitmproxy.utils._live import live_class

KeepServing = live_class(__name__, "KeepServing")
