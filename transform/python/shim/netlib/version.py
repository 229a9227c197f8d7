"""The version."""
from libmproxy.version import *  # noqa: F401,F403
from libmproxy.version import IVERSION, MITMPROXY, NAME, NAMEVERSION, VERSION  # noqa: F401
