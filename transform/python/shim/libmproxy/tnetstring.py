"""The encoding of flow files."""
from mitmproxy.io.tnetstring import *  # noqa: F401,F403
from mitmproxy.io.tnetstring import dump, dumps, load, loads  # noqa: F401
