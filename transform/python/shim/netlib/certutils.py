"""Certificates."""
from mitmproxy.certs import Cert as SSLCert  # noqa: F401
