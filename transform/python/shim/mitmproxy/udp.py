"""Conversations over plain UDP."""
from __future__ import annotations

from _flowkit.record import Lazy
from mitmproxy.flow import Flow, received_messages
from mitmproxy.tcp import TCPMessage


class UDPMessage(TCPMessage):
    """A datagram."""


class UDPFlow(Flow):
    """The datagrams between two addresses."""

    def __init__(self, client_conn, server_conn, live=False):
        super().__init__(client_conn, server_conn, live)
        self.messages = []

    @Lazy
    def messages(self):
        return received_messages(self, UDPMessage)

    def __repr__(self):
        return "<UDPFlow (%d messages)>" % len(self.messages)
