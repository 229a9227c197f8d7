"""The command line of the console."""
from mitmproxy.utils._live import live_class

CommandHistory = live_class(__name__, "CommandHistory")
