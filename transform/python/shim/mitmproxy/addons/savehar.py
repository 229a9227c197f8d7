"""Saving HAR; flowkit export --har does so."""
from mitmproxy.utils._live import live_class

SaveHar = live_class(__name__, "SaveHar")
