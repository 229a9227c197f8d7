"""What layers ask the proxy to do."""
from mitmproxy.hooks import Hook
from mitmproxy.utils._live import live_class, needs_proxy

Command = live_class(__name__, "Command")
ConnectionCommand = live_class(__name__, "ConnectionCommand", Command)
CloseConnection = live_class(__name__, "CloseConnection", ConnectionCommand)
CloseTcpConnection = live_class(__name__, "CloseTcpConnection", CloseConnection)
StartHook = Hook

globals().update(needs_proxy(__name__, "Log RequestWakeup", Command))
globals().update(needs_proxy(__name__, "GetSocket OpenConnection SendData", ConnectionCommand))
