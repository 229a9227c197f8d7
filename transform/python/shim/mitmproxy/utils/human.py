"""Numbers, times and addresses as people write them."""
from __future__ import annotations

import time

SIZE_UNITS = {"b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


def pretty_size(size):
    """A number of bytes with a unit: 512b, 1.5k, 100m."""
    if size < 1024:
        return "%sb" % size
    for unit in "kmgt":
        value = size / SIZE_UNITS[unit]
        if value < 99.95:
            return "%.1f%s" % (value, unit)
        if value < 1024 or unit == "t":
            return "%.0f%s" % (value, unit)
    raise AssertionError


def parse_size(s):
    """The number of bytes of "512", "512b", "1k" and so on; None for None."""
    if s is None:
        return None
    try:
        if isinstance(s, str) and s and s[-1] in SIZE_UNITS:
            return int(s[:-1]) * SIZE_UNITS[s[-1]]
        return int(s)
    except ValueError:
        raise ValueError("Invalid size specification.") from None


def pretty_duration(secs):
    """Seconds with as many digits as are of interest; "" for None."""
    if secs is None:
        return ""
    if secs >= 100:
        return "%.0fs" % secs
    if secs >= 10:
        return "%.1fs" % secs
    if secs >= 1:
        return "%.2fs" % secs
    return "%.0fms" % (secs * 1000)


def format_timestamp(s):
    """A time in seconds as local date and time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(s))


def format_timestamp_with_milli(s):
    from datetime import datetime

    return datetime.fromtimestamp(s).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def format_address(address):
    """host:port of an address tuple; every interface is *."""
    if address is None:
        return "<no address>"
    import ipaddress

    host, port = address[0], address[1]
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return "%s:%s" % (host, port)
    if ip.is_unspecified:
        return "*:%s" % port
    if ip.version == 4:
        return "%s:%s" % (ip, port)
    if ip.ipv4_mapped:
        return "%s:%s" % (ip.ipv4_mapped, port)
    return "[%s]:%s" % (ip, port)
