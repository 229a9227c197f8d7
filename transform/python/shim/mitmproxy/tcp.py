"""Conversations over plain TCP."""
from __future__ import annotations

import time

from _flowkit.record import Lazy
from mitmproxy.coretypes.serializable import Serializable
from mitmproxy.flow import Flow, received_messages


class TCPMessage(Serializable):
    """A chunk of what one side sent.

    The bounds of messages have no meaning in TCP; a received one has its origin: its number
    and the tuple it came as.
    """

    _origin = None

    def __init__(self, from_client, content, timestamp=None):
        self.from_client = from_client
        self.content = content
        self.timestamp = timestamp or time.time()

    @classmethod
    def _received(cls, number, origin):
        message = cls.__new__(cls)
        d = message.__dict__
        d["_origin"] = (number, origin)
        d["from_client"] = origin[1]
        d["timestamp"] = origin[3]
        return message

    @Lazy
    def content(self):
        return load_content(self)

    def _unchanged(self):
        """Whether the message is as it was received."""
        if self._origin is None:
            return False
        d, origin = self.__dict__, self._origin[1]
        return (
            d["from_client"] == origin[1]
            and d["timestamp"] == origin[3]
            and d.get("content") is d.get("_content0")
        )

    def get_state(self):
        return self.from_client, self.content, self.timestamp

    def set_state(self, state):
        self.from_client, self.content, self.timestamp = state

    @classmethod
    def from_state(cls, state):
        return cls(*state)

    def __repr__(self):
        return "%s %r" % ("->" if self.from_client else "<-", self.content)


def load_content(message):
    """Returns the content of a received message and keeps it as what was received."""
    try:
        content = message._origin[1][2]
    except TypeError:
        raise AttributeError("%s object has lost its content" % type(message).__name__) from None
    if callable(content):
        content = content()
    message.__dict__["_content0"] = content
    return content


class TCPFlow(Flow):
    """A TCP connection as the messages that went over it."""

    def __init__(self, client_conn, server_conn, live=False):
        super().__init__(client_conn, server_conn, live)
        self.messages = []

    @Lazy
    def messages(self):
        return received_messages(self, TCPMessage)

    def __repr__(self):
        return "<TCPFlow (%d messages)>" % len(self.messages)
