"""Stopping flows for the user."""
from mitmproxy.utils._live import live_class

Intercept = live_class(__name__, "Intercept")
