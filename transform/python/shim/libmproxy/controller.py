"""Messages to the master."""
from mitmproxy.controller import *  # noqa: F401,F403
from mitmproxy.controller import DummyReply, Reply, __getattr__  # noqa: F401
