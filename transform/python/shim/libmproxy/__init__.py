"""mitmproxy's library as it was called up to 0.15."""
from _flowkit import legacy

legacy.install()
