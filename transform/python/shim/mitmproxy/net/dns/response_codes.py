"""Results of DNS queries (RFC 1035, 2136, 8490)."""
from __future__ import annotations

from mitmproxy.net.dns._names import named

NOERROR = 0
FORMERR = 1
SERVFAIL = 2
NXDOMAIN = 3
NOTIMP = 4
REFUSED = 5
YXDOMAIN = 6
YXRRSET = 7
NXRRSET = 8
NOTAUTH = 9
NOTZONE = 10
DSOTYPENI = 11

to_str, from_str, _STRINGS = named(globals(), "RCODE")

_CODES = {
    NOERROR: 200,
    FORMERR: 400,
    SERVFAIL: 500,
    NXDOMAIN: 404,
    NOTIMP: 501,
    REFUSED: 403,
    YXDOMAIN: 409,
    YXRRSET: 409,
    NXRRSET: 410,
    NOTAUTH: 401,
    NOTZONE: 404,
    DSOTYPENI: 501,
}


def http_equiv_status_code(response_code):
    """Returns the HTTP status that says about the same."""
    return _CODES.get(response_code, 500)
