"""Passwords of a proxy."""
from mitmproxy.utils._live import live_class

ProxyAuth = live_class(__name__, "ProxyAuth")
Validator = live_class(__name__, "Validator")
AcceptAll = live_class(__name__, "AcceptAll")
SingleUser = live_class(__name__, "SingleUser")
Htpasswd = live_class(__name__, "Htpasswd")
Ldap = live_class(__name__, "Ldap")
