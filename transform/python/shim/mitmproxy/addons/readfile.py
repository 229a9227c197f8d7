"""Reading files; flowkit's -r does so."""
from mitmproxy.utils._live import live_class

ReadFile = live_class(__name__, "ReadFile")
ReadFileStdin = live_class(__name__, "ReadFileStdin")
