"""Which mitmproxy this package behaves like, and what it really is."""
from __future__ import annotations

VERSION = "12.2.3"
MITMPROXY = "mitmproxy " + VERSION

FLOW_FORMAT_VERSION = 21
"""The format version of new flows; flows of a file keep that of the file."""


def get_dev_version():
    """Returns the version; there is no development version of a stand-in."""
    return VERSION


if __name__ == "__main__":
    print(VERSION)
