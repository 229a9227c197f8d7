"""A part of the user interface in the terminal."""
from mitmproxy.utils._live import live_module

raise live_module(__name__)
