"""Ordered dictionaries with several values for a key, as in 0.18."""
from mitmproxy.coretypes.multidict import *  # noqa: F401,F403
from mitmproxy.coretypes.multidict import MultiDict, MultiDictView  # noqa: F401
