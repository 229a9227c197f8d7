"""Printing flows; flowkit ls and show do so."""
from mitmproxy.utils._live import live_class

Dumper = live_class(__name__, "Dumper")
