"""Now mitmproxy.net.http.user_agents."""
from mitmproxy.net.http.user_agents import *  # noqa: F401,F403
