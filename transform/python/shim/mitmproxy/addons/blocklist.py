"""Answering requests instead of the server."""
from mitmproxy.utils._live import live_class

BlockList = live_class(__name__, "BlockList")
BlockSpec = live_class(__name__, "BlockSpec")
