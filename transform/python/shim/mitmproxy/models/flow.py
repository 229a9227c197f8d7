"""A part of mitmproxy.models, which has all of it."""
from mitmproxy.models import *  # noqa: F401,F403
from mitmproxy.models import __getattr__  # noqa: F401
