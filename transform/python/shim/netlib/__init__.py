"""The network library that was mitmproxy's up to 0.18."""
from _flowkit import legacy

legacy.install()
