"""Printing the log."""
from mitmproxy.utils._live import live_class

TermLog = live_class(__name__, "TermLog")
TermLogHandler = live_class(__name__, "TermLogHandler")
