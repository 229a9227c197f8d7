"""Rewriting Alt-Svc."""
from mitmproxy.utils._live import live_class

UpdateAltSvc = live_class(__name__, "UpdateAltSvc")
