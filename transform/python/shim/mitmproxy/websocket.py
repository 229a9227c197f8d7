"""WebSocket conversations: what follows an HTTP flow that changed to the protocol."""
from __future__ import annotations

import time

from _flowkit.record import Lazy
from mitmproxy.coretypes.serializable import Serializable
from mitmproxy.flow import received_messages
from mitmproxy.tcp import load_content


def __getattr__(name):
    """Makes the enumeration of frame types when it is asked for."""
    if name != "Opcode":
        raise AttributeError("module %r has no attribute %r" % (__name__, name))
    try:
        from wsproto.frame_protocol import Opcode
    except ImportError:
        Opcode = _make_opcodes()
    globals()["Opcode"] = Opcode
    return Opcode


def _make_opcodes():
    from enum import IntEnum

    return IntEnum(
        "Opcode",
        (("CONTINUATION", 0), ("TEXT", 1), ("BINARY", 2), ("CLOSE", 8), ("PING", 9), ("PONG", 10)),
        module=__name__,
    )


def _opcode(number):
    return (globals().get("Opcode") or __getattr__("Opcode"))(number)


class WebSocketMessage(Serializable):
    """A message of one side, text (then content is UTF-8) or binary."""

    _origin = None

    def __init__(self, type, from_client, content, timestamp=None, dropped=False, injected=False):
        self.type = _opcode(type)
        self.from_client = from_client
        self.content = content
        self.timestamp = timestamp or time.time()
        self.dropped = dropped
        self.injected = injected

    @classmethod
    def _received(cls, number, origin):
        message = cls.__new__(cls)
        d = message.__dict__
        d["_origin"] = (number, origin)
        _, d["from_client"], _, d["timestamp"], d["dropped"], d["injected"] = origin
        return message

    @Lazy
    def type(self):
        return _opcode(self._origin[1][0])

    @Lazy
    def content(self):
        return load_content(self)

    def _unchanged(self):
        """Whether the message is as it was received."""
        if self._origin is None:
            return False
        d, origin = self.__dict__, self._origin[1]
        return (
            d.get("type", origin[0]) == origin[0]
            and d["from_client"] == origin[1]
            and d["timestamp"] == origin[3]
            and d["dropped"] == origin[4]
            and d["injected"] == origin[5]
            and d.get("content") is d.get("_content0")
        )

    def _number(self):
        """Returns the opcode as a plain number."""
        kind = self.__dict__.get("type")
        return self._origin[1][0] if kind is None else int(kind)

    def get_state(self):
        return self._number(), self.from_client, self.content, self.timestamp, self.dropped, self.injected

    def set_state(self, state):
        number, self.from_client, self.content, self.timestamp, self.dropped, self.injected = state
        self.type = _opcode(number)

    @classmethod
    def from_state(cls, state):
        return cls(*state)

    @property
    def is_text(self):
        """Whether the message is text by its type. Binary ones may well hold text."""
        return self._number() == 1

    @property
    def text(self):
        """The text of a text message; an AttributeError for a binary one."""
        self._must_be_text()
        return self.content.decode()

    @text.setter
    def text(self, value):
        self._must_be_text()
        self.content = value.encode()

    def _must_be_text(self):
        if not self.is_text:
            raise AttributeError("%s WebSocket frames do not have a 'text' attribute." % self.type.name.title())

    def drop(self):
        """Marks the message as one that was not passed on. It stays in the flow."""
        self.dropped = True

    def kill(self):
        """The old name of drop()."""
        import warnings

        warnings.warn(
            "WebSocketMessage.kill() is deprecated, use .drop() instead.", DeprecationWarning, stacklevel=2
        )
        self.drop()

    def __repr__(self):
        return repr(self.content.decode("utf-8", "replace") if self.is_text else self.content)

    def _format_ws_message(self):
        return (b"[OUTGOING] " if self.from_client else b"[INCOMING] ") + self.content


# What versions before 19 make of values of another type.
_CASTS = {"closed_by_client": bool, "close_code": int, "close_reason": str, "timestamp_end": float}


class WebSocketData(Serializable):
    """What an HTTP flow holds of the WebSocket conversation after it."""

    closed_by_client = None
    close_code = None
    close_reason = None
    timestamp_end = None

    def __init__(self):
        self.messages = []

    @classmethod
    def _received(cls, flow, origin):
        """Returns the data of a received flow; origin is (closed_by_client, code, reason, end)."""
        data = cls.__new__(cls)
        d = data.__dict__
        d["_flow"] = flow
        d["closed_by_client"], d["close_code"], d["close_reason"], d["timestamp_end"] = origin
        return data

    @Lazy
    def messages(self):
        flow = self.__dict__.pop("_flow", None)
        return [] if flow is None else received_messages(flow, WebSocketMessage)

    def get_state(self):
        return {
            "messages": [m.get_state() for m in self.messages],
            "closed_by_client": self.closed_by_client,
            "close_code": self.close_code,
            "close_reason": self.close_reason,
            "timestamp_end": self.timestamp_end,
        }

    def _state_of(self, version):
        state = self.get_state()
        if version < 19:
            for name, cast in _CASTS.items():
                if state[name] is not None:
                    state[name] = cast(state[name])
        return state

    def set_state(self, state):
        self.__dict__.pop("_flow", None)
        self.messages = [WebSocketMessage.from_state(m) for m in state["messages"]]
        for name in ("closed_by_client", "close_code", "close_reason", "timestamp_end"):
            setattr(self, name, state[name])

    @classmethod
    def from_state(cls, state):
        data = cls()
        data.set_state(state)
        return data

    def _get_formatted_messages(self):
        return b"\n".join([m._format_ws_message() for m in self.messages])

    def __repr__(self):
        return "<WebSocketData (%d messages)>" % len(self.messages)
