"""Users of a proxy."""
from mitmproxy.utils._live import live_class

HtpasswdFile = live_class(__name__, "HtpasswdFile")
HtpasswdFile.from_file = classmethod(lambda cls, path: cls())
