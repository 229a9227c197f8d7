"""Connections of clients."""
from mitmproxy.utils._live import live_class

ConnectionHandler = live_class(__name__, "ConnectionHandler")
ConnectionIO = live_class(__name__, "ConnectionIO")
LiveConnectionHandler = live_class(__name__, "LiveConnectionHandler", ConnectionHandler)
SimpleConnectionHandler = live_class(__name__, "SimpleConnectionHandler", LiveConnectionHandler)
TimeoutWatchdog = live_class(__name__, "TimeoutWatchdog")
