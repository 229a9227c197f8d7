"""Numbers and times for people."""
from mitmproxy.utils.human import *  # noqa: F401,F403
