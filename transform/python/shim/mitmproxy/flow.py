"""Flows: what every kind of them has.

A received flow keeps its record (see _flowkit.record), one made by a script has all of its
fields in its dictionary. The state of a flow is that of the format version the flow came
in, `_version`, so that a script that stores states or writes flow files gives what it gives
under the mitmproxy that wrote the input.
"""
from __future__ import annotations

import time
from marshal import loads

from _flowkit.record import Field, Lazy
from mitmproxy.coretypes.serializable import Serializable

NEWEST = 21
"""The newest version of the flow format, that of new flows."""

OLDEST = 17
"""The oldest version of which there is a get_state()."""

_NOTHING = (None, False, None, "", "", {}, None)

# The parts of a flow that have a state of their own, by its type, in the order of the
# format. The modules are not imported before a state is read.
_PARTS = {
    "http": (
        ("request", "mitmproxy.http", "Request"),
        ("response", "mitmproxy.http", "Response"),
        ("websocket", "mitmproxy.websocket", "WebSocketData"),
    ),
    "tcp": (("messages", "mitmproxy.tcp", "TCPMessage"),),
    "udp": (("messages", "mitmproxy.udp", "UDPMessage"),),
    "dns": (
        ("request", "mitmproxy.dns", "DNSMessage"),
        ("response", "mitmproxy.dns", "DNSMessage"),
    ),
}

_MODULES = {"http": "mitmproxy.http", "tcp": "mitmproxy.tcp", "udp": "mitmproxy.udp", "dns": "mitmproxy.dns"}


def new_id():
    """Returns a random UUID as text."""
    from os import urandom

    b = bytearray(urandom(16))
    b[6] = b[6] & 0x0F | 0x40
    b[8] = b[8] & 0x3F | 0x80
    h = b.hex()
    return "%s-%s-%s-%s-%s" % (h[:8], h[8:12], h[12:16], h[16:20], h[20:])


def deep_copy(value):
    """Returns value with the containers in it copied."""
    kind = type(value)
    if kind is dict:
        return {k: deep_copy(v) for k, v in value.items()}
    if kind is list:
        return [deep_copy(v) for v in value]
    if kind is tuple:
        return tuple([deep_copy(v) for v in value])
    if kind is set:
        return set(value)
    return value


def received_messages(flow, cls):
    """Returns the messages of a received flow as objects of cls."""
    received = cls._received
    flow.__dict__["_messages0"] = tuples = flow._batch.messages(flow._index)
    return [received(i, m) for i, m in enumerate(tuples)]


def _load(part, names):
    """Touches those of the attributes that part has."""
    for name in names:
        try:
            getattr(part, name)
        except (AttributeError, ValueError, OSError):
            pass


def _import(module, name):
    import importlib

    return getattr(importlib.import_module(module), name)


class Error(Serializable):
    """An error of the connection, not one that HTTP reports: refused, reset, timed out.

    `msg` says what happened, `timestamp` when, in seconds since the epoch.
    """

    KILLED_MESSAGE = "Connection killed."

    def __init__(self, msg, timestamp=None):
        self.msg = msg
        self.timestamp = timestamp or time.time()

    def __str__(self):
        return self.msg

    def __repr__(self):
        return self.msg

    def get_state(self):
        return {"msg": self.msg, "timestamp": self.timestamp}

    def set_state(self, state):
        self.msg = state["msg"]
        self.timestamp = state["timestamp"]

    @classmethod
    def from_state(cls, state):
        error = cls.__new__(cls)
        error.set_state(state)
        return error


class Flow(Serializable):
    """A conversation. What an attribute of it holds may be changed by a script."""

    type = ""
    live = False
    _backup = None
    _dropped = False
    _resume_event = None
    _types = {}

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "type" not in cls.__dict__:
            name = cls.__name__
            cls.type = (name[:-4] if name.endswith("Flow") else name).lower()
        Flow._types[cls.type] = cls

    def __init__(self, client_conn, server_conn, live=False):
        self.id = new_id()
        self.client_conn = client_conn
        self.server_conn = server_conn
        self.live = live
        self.timestamp_created = time.time()
        self.error = None
        self.intercepted = False
        self.is_replay = None
        self.marked = ""
        self.comment = ""
        self.metadata = {}

    id = Field(1)
    timestamp_created = Field(2)

    @Lazy
    def _version(self):
        return self._rec[6] if "_rec" in self.__dict__ else NEWEST

    @Lazy
    def _cold(self):
        blob = self._rec[5]
        return _NOTHING if blob is None else loads(blob)

    @Lazy
    def _rec(self):
        raise AttributeError("%s object has lost a field" % type(self).__name__)

    @Lazy
    def error(self):
        error = self._cold[0]
        if error is None:
            return None
        e = Error.__new__(Error)
        e.msg, e.timestamp = error
        return e

    @Lazy
    def intercepted(self):
        return self._cold[1]

    @Lazy
    def is_replay(self):
        return self._cold[2]

    @Lazy
    def marked(self):
        return self._cold[3]

    @Lazy
    def comment(self):
        return self._cold[4]

    @Lazy
    def metadata(self):
        metadata = self._cold[5]
        self.__dict__["_metadata0"] = deep_copy(metadata)
        return metadata if metadata else {}

    @Lazy
    def client_conn(self):
        from mitmproxy.connection import Client

        return self._conn(Client, 0)

    @Lazy
    def server_conn(self):
        from mitmproxy.connection import Server

        return self._conn(Server, 1)

    def _conn(self, cls, place):
        """Returns the connection that stands at a place of what the batch has."""
        blob = self._batch.conns(self._index)[place]
        if blob is None:
            return cls._unknown()
        conn = cls.__new__(cls)
        d = conn.__dict__
        d["_raw"] = blob
        d["_version"] = self._version
        return conn

    @property
    def timestamp_start(self):
        """When the flow began: when the client connected, unless its kind says otherwise."""
        return self.client_conn.timestamp_start

    def _materialise(self):
        """Loads all that would need flowkit later. Nothing is changed by it.

        A body that is too large stays where it is: that it cannot be read is said to who reads it.
        """
        if "_batch" not in self.__dict__:
            return
        for name in ("error", "metadata", "_version"):
            getattr(self, name)
        for conn in (self.client_conn, self.server_conn):
            _load(conn, ("_rec",))
        for name, _, _ in _PARTS.get(self.type, ()):
            part = getattr(self, name)
            if name == "websocket" and part is not None:
                part = part.messages
            if isinstance(part, list):
                for message in part:
                    _load(message, ("content",))
            else:
                _load(part, ("_rec", "headers", "trailers", "_body"))

    def get_state(self):
        """Returns the flow as plain data, of the format version `_version`.

        Versions before 17 are of the past; their flows have the state of 17.
        """
        version = min(max(self._version, OLDEST), NEWEST)
        state = self._state(version)
        backup = self._backup
        if backup is not None and backup != state:
            state["backup"] = backup
        return state

    def _state(self, version):
        """Returns the state without what backup() saved."""
        state = {}
        if version >= 19:
            state["version"] = version
            state["type"] = self.type
        self._common_state(state, version)
        if version >= 19:
            state["backup"] = None
        else:
            _cast(state)
        for name, _, _ in _PARTS.get(self.type, ()):
            state[name] = _part_state(getattr(self, name), version)
        if version < 19:
            state["version"] = version
            state["type"] = self.type
        return state

    def _common_state(self, state, version):
        error = self.error
        state["id"] = self.id
        state["error"] = None if error is None else error.get_state()
        for name in ("client_conn", "server_conn"):
            conn = getattr(self, name)
            state[name] = None if conn is None else conn._state_of(version)
        state["intercepted"] = self.intercepted
        state["is_replay"] = self.is_replay
        state["marked"] = self.marked
        state["metadata"] = deep_copy(self.metadata)
        state["comment"] = self.comment
        created = self.timestamp_created
        state["timestamp_created"] = (self.timestamp_start or 0.0) if created is None else created

    def set_state(self, state):
        """Makes the flow what state says, which is of a version from 17 to 21."""
        from mitmproxy.connection import Client, Server

        if state["type"] != self.type:
            raise ValueError("state of a %s flow for a %s flow" % (state["type"], self.type))
        self._version = version = state["version"]
        self.id = state["id"]
        self.client_conn = _conn_of(self.__dict__.get("client_conn"), Client, state["client_conn"], version)
        self.server_conn = _conn_of(self.__dict__.get("server_conn"), Server, state["server_conn"], version)
        common = {name: state[name] for name in _CASTS}
        common["metadata"] = deep_copy(state["metadata"])
        error = common["error"] = state["error"] and dict(state["error"])
        if version < 19:
            _cast(common)
        common["error"] = None if error is None else Error.from_state(error)
        self.__dict__.update(common)
        self._backup = state.get("backup")
        for name, module, cls in _PARTS.get(self.type, ()):
            setattr(self, name, _part_of(self.__dict__.get(name), module, cls, state[name]))

    @classmethod
    def from_state(cls, state):
        """Returns a flow of the kind that state says."""
        kind = state["type"]
        if cls.type != kind:
            cls = _class_of(kind)
        flow = cls.__new__(cls)
        flow.set_state(state)
        return flow

    def copy(self):
        """Returns a flow like this one, with an id of its own, that is not live."""
        version = self._version
        state = self._state(NEWEST)
        state["id"] = new_id()
        flow = type(self).from_state(state)
        flow._version = version
        flow._backup = self._backup if self.modified() else None
        flow.live = False
        for name in ("client_conn", "server_conn"):
            conn = getattr(self, name)
            if conn is not None:
                conn._rest_to(getattr(flow, name))
        return flow

    def modified(self):
        """Whether the flow differs from what backup() saved."""
        if self._backup is None:
            return False
        return self._backup != self._state(self._backup["version"])

    def backup(self, force=False):
        """Saves the flow as it is, for revert(), unless it was saved before. Force says nothing."""
        if self._backup is None:
            self._backup = self._state(min(max(self._version, OLDEST), NEWEST))

    def revert(self):
        """Makes the flow what it was at backup()."""
        if self._backup is not None:
            self.set_state(self._backup)
            self._backup = None

    @property
    def killable(self):
        """Whether kill() works: only for a flow that is live."""
        error = self.error
        return self.live and not (error is not None and error.msg == Error.KILLED_MESSAGE)

    def kill(self):
        """Kills the flow. A saved one cannot be killed: a ControlException is raised."""
        if not self.killable:
            from mitmproxy.exceptions import ControlException

            raise ControlException("Flow is not killable.")
        self.error = Error(Error.KILLED_MESSAGE)
        self.intercepted = False
        self.live = False

    def intercept(self):
        """Holds the flow until resume(). A saved one is only marked as held."""
        if self.intercepted:
            return
        self.intercepted = True
        if self._resume_event is not None:
            self._resume_event.clear()

    def resume(self):
        """Ends intercept()."""
        if not self.intercepted:
            return
        self.intercepted = False
        if self._resume_event is not None:
            self._resume_event.set()

    async def wait_for_resume(self):
        """Waits until the flow is not intercepted."""
        if not self.intercepted:
            return
        if self._resume_event is None:
            import asyncio

            self._resume_event = asyncio.Event()
        await self._resume_event.wait()

    def drop(self):
        """Leaves the flow out of the output. This is flowkit's own."""
        self._dropped = True


# What versions before 19 make of values of another type.
_CASTS = {
    "intercepted": bool,
    "is_replay": str,
    "marked": str,
    "comment": str,
    "timestamp_created": float,
}


def _cast(state):
    """Makes the values of the common keys what versions before 19 have."""
    for name, cast in _CASTS.items():
        value = state[name]
        if value is not None and type(value) is not cast:
            state[name] = cast(value)
    error = state.get("error")
    if error is not None:
        error["msg"] = str(error["msg"])
        error["timestamp"] = float(error["timestamp"])
    metadata = state.get("metadata")
    if metadata:
        for value in metadata.values():
            if not _is_json(value):
                raise ValueError("Data not serializable: %s" % (value,))
        state["metadata"] = {str(k): v for k, v in metadata.items()}


def _is_json(value):
    """Whether a value of the metadata can be held by versions before 19."""
    if isinstance(value, (list, tuple)):
        return all([_is_json(v) for v in value])
    if isinstance(value, dict):
        return all([_is_json(k) and _is_json(v) for k, v in value.items()])
    return value is None or isinstance(value, (str, bool, int, float))


def _part_state(part, version):
    if part is None:
        return None
    if isinstance(part, (list, tuple)):
        return [m.get_state() for m in part]
    try:
        state_of = part._state_of
    except AttributeError:
        return part.get_state()
    return state_of(version)


def _part_of(present, module, name, state):
    """Returns the part of a flow that has a state; it is the present one if it can be."""
    if state is None:
        return None
    if isinstance(state, (list, tuple)):
        cls = _import(module, name)
        return [cls.from_state(m) for m in state]
    if present is not None:
        present.set_state(state)
        return present
    return _import(module, name).from_state(state)


def _conn_of(present, cls, state, version):
    if state is None:
        return None
    conn = cls.__new__(cls) if present is None else present
    conn._set_state_of(state, version)
    return conn


def _class_of(kind):
    if kind not in Flow._types and kind in _MODULES:
        __import__(_MODULES[kind])
    try:
        return Flow._types[kind]
    except (KeyError, TypeError):
        raise ValueError("Unknown flow type: %s" % (kind,)) from None
