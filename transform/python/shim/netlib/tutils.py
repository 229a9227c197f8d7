"""Helpers for tests of addons."""
from mitmproxy.test.tutils import *  # noqa: F401,F403
from mitmproxy.test.tutils import treq, tresp  # noqa: F401


def treader(data):
    """Return a file that has data."""
    import io

    return io.BytesIO(data)
