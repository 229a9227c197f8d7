"""Helpers for text and bytes."""
from mitmproxy.utils.strutils import *  # noqa: F401,F403
