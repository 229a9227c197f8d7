"""Web applications that a live proxy serves, as up to 6.x."""
from mitmproxy.addons.asgiapp import WSGIApp  # noqa: F401
