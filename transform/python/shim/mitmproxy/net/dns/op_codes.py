"""Kinds of DNS messages (RFC 1035, 1996, 2136, 8490)."""
from __future__ import annotations

from mitmproxy.net.dns._names import named

QUERY = 0
IQUERY = 1
STATUS = 2
NOTIFY = 4
UPDATE = 5
DSO = 6

to_str, from_str, _STRINGS = named(globals(), "OPCODE")
