"""What serves the user interface."""
from mitmproxy.utils._live import live_module

raise live_module(__name__)
