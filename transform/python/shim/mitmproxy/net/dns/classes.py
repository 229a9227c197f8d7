"""Classes of DNS records (RFC 1035, RFC 2136)."""
from __future__ import annotations

from mitmproxy.net.dns._names import named

IN = 1
CH = 3
HS = 4
NONE = 254
ANY = 255

to_str, from_str, _STRINGS = named(globals(), "CLASS")
