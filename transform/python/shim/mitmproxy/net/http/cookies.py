"""Cookies: what is in the headers Cookie and Set-Cookie.

What browsers take is taken, not only what the standard allows: values in quotes, names
without a value, and Set-Cookie headers that are several, joined by commas.
"""

from mitmproxy.coretypes import multidict

# What no value has without quotes, besides what is not printable.
_SPECIAL = frozenset('",;\\')

# Names that in a Cookie header may be attributes of the cookie before them.
_ATTRIBUTES = frozenset(("path", "secure", "expires", "max-age", "version", "httponly", "comment"))


class CookieAttrs(multidict.MultiDict):
    """The attributes of a cookie. Case is of no account, and the last of a name counts."""

    @staticmethod
    def _kconv(key):
        return key.lower()

    @staticmethod
    def _reduce_values(values):
        return values[-1]


def _find(s, start, ends):
    """Returns the place of the first character that is one of ends."""
    stop = len(s)
    for end in ends:
        at = s.find(end, start, stop)
        if at >= 0:
            stop = at
    return stop


def _quoted(s, at):
    """Returns the value in quotes of which the first is at a place, and the place behind it."""
    value = []
    while True:
        stop = _find(s, at, '"\\')
        value.append(s[at:stop])
        if s[stop:stop + 1] != "\\":
            return "".join(value), stop + 1
        value.append(s[stop + 1:stop + 2])
        at = stop + 2


def _value(s, at, ends):
    """Returns the value that begins at a place, and the place behind it."""
    if s[at:at + 1] == '"':
        return _quoted(s, at + 1)
    stop = _find(s, at, ends)
    return s[at:stop], stop


def parse_cookie_header(line):
    """Returns the [name, value] lists of a Cookie header."""
    pairs = []
    at, size = 0, len(line)
    while at < size:
        stop = _find(line, at, ";=")
        name, value = line[at:stop].lstrip(), ""
        if line[stop:stop + 1] == "=":
            value, stop = _value(line, stop + 1, ";")
        if name or value:
            pairs.append([name, value])
        at = stop + 1
    return pairs


def parse_cookie_headers(cookie_headers):
    """Returns the [name, value] lists of Cookie headers."""
    return [pair for header in cookie_headers for pair in parse_cookie_header(header)]


def parse_set_cookie_header(line):
    """Returns the cookies of a Set-Cookie header as (name, value, CookieAttrs).

    An attribute without a value has None.
    """
    cookies = []
    pairs = []
    at, size = 0, len(line)
    while at < size:
        stop = _find(line, at, ";,=")
        name, value = line[at:stop].lstrip(), None
        given = line[stop:stop + 1] == "="
        if given:
            value, stop = _value(line, stop + 1, ";,")
            # The comma behind the name of a day separates no cookies.
            if name.lower() == "expires" and len(value) <= 3 and line[stop:stop + 1] == ",":
                rest, stop = _value(line, stop + 1, ";,")
                value = "%s,%s" % (value, rest)
        if name or given:
            pairs.append((name, value))
        if line[stop:stop + 1] == "," and pairs:
            cookies.append(pairs)
            pairs = []
        at = stop + 1
    if pairs:
        cookies.append(pairs)
    return [(p[0][0], p[0][1] or "", CookieAttrs(p[1:])) for p in cookies]


def parse_set_cookie_headers(headers):
    """Returns the cookies of Set-Cookie headers as (name, value, CookieAttrs)."""
    return [cookie for header in headers for cookie in parse_set_cookie_header(header)]


def _pair(name, value, plain=()):
    """Returns name=value, in quotes if it must be, but for the names that are plain."""
    if name.lower() not in plain and any([c in _SPECIAL or not "!" <= c <= "~" for c in value]):
        value = '"%s"' % value.replace("\\", "\\\\").replace('"', '\\"')
    return "%s=%s" % (name, value)


def format_cookie_header(lst):
    """Returns a Cookie header of (name, value) pairs."""
    if isinstance(lst, dict):
        lst = lst.items()
    return "; ".join([_pair(name, value) for name, value in lst])


_PLAIN = ("expires", "path")


def format_set_cookie_header(set_cookies):
    """Returns a Set-Cookie header of (name, value, attributes), which may be several cookies."""
    cookies = []
    for name, value, attrs in set_cookies:
        if hasattr(attrs, "fields"):
            attrs = attrs.fields
        elif isinstance(attrs, dict):
            attrs = attrs.items()
        pairs = [_pair(name, value, _PLAIN)]
        pairs += [k if v is None else _pair(k, v, _PLAIN) for k, v in attrs]
        cookies.append("; ".join(pairs))
    return ", ".join(cookies)


def refresh_set_cookie_header(c, delta):
    """Returns a Set-Cookie header whose cookies expire delta seconds later.

    A ValueError says that a cookie has no name or no value.
    """
    from email.utils import formatdate, mktime_tz, parsedate_tz

    cookies = parse_set_cookie_header(c)
    for name, value, attrs in cookies:
        if not name or not value:
            raise ValueError("Invalid Cookie")
        if "expires" in attrs:
            date = parsedate_tz(attrs["expires"])
            if date:
                attrs.set_all("expires", [formatdate(mktime_tz(date) + delta, usegmt=True)])
            else:
                # What is no date is no use to anybody.
                del attrs["expires"]
    return format_set_cookie_header(cookies)


def get_expiration_ts(cookie_attrs):
    """Returns when a cookie expires, in seconds since the epoch; None if it does not say."""
    import time
    from email.utils import mktime_tz, parsedate_tz

    if "expires" in cookie_attrs:
        date = parsedate_tz(cookie_attrs["expires"])
        if date:
            return mktime_tz(date)
    if "max-age" in cookie_attrs:
        try:
            return time.time() + int(cookie_attrs["max-age"])
        except ValueError:
            pass
    return None


def is_expired(cookie_attrs):
    """Whether a cookie has expired, as one does by which a server removes it."""
    import time

    expires = get_expiration_ts(cookie_attrs)
    return expires is not None and expires <= time.time()


def group_cookies(pairs):
    """Returns (name, value, CookieAttrs) of pairs among which there are attributes."""
    if not pairs:
        return []
    cookies = []
    for i, (name, value) in enumerate(pairs):
        if i and name.lower() in _ATTRIBUTES:
            cookies[-1][2].append((name, value))
        else:
            cookies.append((name, value, []))
    return [(name, value, CookieAttrs(attrs)) for name, value, attrs in cookies]
