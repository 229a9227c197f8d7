"""The version."""
from mitmproxy.version import *  # noqa: F401,F403
from mitmproxy.version import IVERSION, MITMPROXY, NAME, NAMEVERSION, VERSION  # noqa: F401
