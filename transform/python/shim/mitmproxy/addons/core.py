"""The basic commands; flowkit has its own."""
from mitmproxy.utils._live import live_class

Core = live_class(__name__, "Core")
