"""The list of flows of the console."""
from mitmproxy.utils._live import live_class

View = live_class(__name__, "View")
Focus = live_class(__name__, "Focus")
Settings = live_class(__name__, "Settings")
