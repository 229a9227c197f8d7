"""Passwords of a proxy."""
from mitmproxy.utils._live import live_class

REALM = "mitmproxy"

ProxyAuth = live_class(__name__, "ProxyAuth")
Validator = live_class(__name__, "Validator")
AcceptAll = live_class(__name__, "AcceptAll", Validator)
SingleUser = live_class(__name__, "SingleUser", Validator)
Htpasswd = live_class(__name__, "Htpasswd", Validator)
Ldap = live_class(__name__, "Ldap", Validator)


def mkauth(username, password, scheme="basic"):
    """The value of an authorization header, with a line feed behind it."""
    import binascii

    return scheme + " " + binascii.b2a_base64(("%s:%s" % (username, password)).encode()).decode()


def parse_http_basic_auth(s):
    """(scheme, username, password) of an authorization header; ValueError if it is no basic one."""
    import binascii

    scheme, authinfo = s.split()
    if scheme.lower() != "basic":
        raise ValueError("Unknown scheme")
    try:
        user, password = binascii.a2b_base64(authinfo.encode()).decode("utf8", "replace").split(":")
    except binascii.Error as e:
        raise ValueError(str(e)) from e
    return scheme, user, password
