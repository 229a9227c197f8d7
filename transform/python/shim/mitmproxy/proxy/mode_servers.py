"""Listeners of the modes."""
from mitmproxy.utils._live import live_class, needs_proxy

ServerInstance = live_class(__name__, "ServerInstance")
ServerManager = live_class(__name__, "ServerManager")

globals().update(
    needs_proxy(
        __name__,
        "AsyncioServerInstance DnsInstance LocalRedirectorInstance RegularInstance ReverseInstance Socks5Instance"
        " TransparentInstance TunInstance UpstreamInstance WireGuardServerInstance",
        ServerInstance,
    )
)
