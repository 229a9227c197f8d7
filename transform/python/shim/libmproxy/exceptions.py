"""Exceptions."""
from mitmproxy.exceptions import *  # noqa: F401,F403
from mitmproxy.exceptions import __getattr__  # noqa: F401
