"""Passwords of a second proxy."""
import re

from mitmproxy import exceptions
from mitmproxy.utils import strutils
from mitmproxy.utils._live import live_class

UpstreamAuth = live_class(__name__, "UpstreamAuth")


def parse_upstream_auth(auth):
    """The value of an authorization header for "username:password"; OptionsError if it is none."""
    import base64

    if not re.search(".+:", auth):
        raise exceptions.OptionsError("Invalid upstream auth specification: %s" % auth)
    return b"Basic " + base64.b64encode(strutils.always_bytes(auth))
