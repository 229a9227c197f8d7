"""The names of the events, as in 1.0."""
from mitmproxy.controller import Events  # noqa: F401
