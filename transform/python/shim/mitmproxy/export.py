"""Flows as commands, as up to 3.x."""
from mitmproxy.addons.export import *  # noqa: F401,F403
