"""Makers of messages for tests. Keyword arguments replace the values."""
from __future__ import annotations

from mitmproxy import dns, http
from mitmproxy.net.dns import classes, op_codes, response_codes, types

_TIME = 946681200


def treq(**kwargs):
    """Returns a GET request with a body."""
    fields = dict(
        host="address",
        port=22,
        method=b"GET",
        scheme=b"http",
        authority=b"",
        path=b"/path",
        http_version=b"HTTP/1.1",
        headers=http.Headers(((b"header", b"qvalue"), (b"content-length", b"7"))),
        content=b"content",
        trailers=None,
        timestamp_start=_TIME,
        timestamp_end=_TIME + 1,
    )
    fields.update(kwargs)
    if isinstance(fields["headers"], tuple):
        fields["headers"] = http.Headers(fields["headers"])
    return http.Request(**fields)


def tresp(**kwargs):
    """Returns a response of status 200."""
    fields = dict(
        http_version=b"HTTP/1.1",
        status_code=200,
        reason=b"OK",
        headers=http.Headers(((b"header-response", b"svalue"), (b"content-length", b"7"))),
        content=b"message",
        trailers=None,
        timestamp_start=_TIME + 2,
        timestamp_end=_TIME + 3,
    )
    fields.update(kwargs)
    return http.Response(**fields)


def _message(fields, kwargs):
    fields.update(
        id=42,
        op_code=op_codes.QUERY,
        authoritative_answer=False,
        truncation=False,
        recursion_desired=True,
        reserved=0,
        response_code=response_codes.NOERROR,
        questions=[dns.Question("dns.google", types.A, classes.IN)],
        authorities=[],
        additionals=[],
    )
    fields.update(kwargs)
    return dns.DNSMessage(**fields)


def tdnsreq(**kwargs):
    """Returns a query for the address of dns.google."""
    return _message(dict(timestamp=_TIME, query=True, recursion_available=False, answers=[]), kwargs)


def tdnsresp(**kwargs):
    """Returns the answer to tdnsreq()."""
    answers = [
        dns.ResourceRecord("dns.google", types.A, classes.IN, 32, data)
        for data in (b"\x08\x08\x08\x08", b"\x08\x08\x04\x04")
    ]
    return _message(dict(timestamp=_TIME + 1, query=False, recursion_available=True, answers=answers), kwargs)
