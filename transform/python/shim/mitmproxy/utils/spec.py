"""The specification of a rewrite: /filter/subject/replacement."""
from __future__ import annotations

from mitmproxy import flowfilter


def parse_spec(option):
    """(filter, subject, replacement) of a text whose first character separates them.

    The filter may be absent. What is wrong raises ValueError.
    """
    parts = option[1:].split(option[0], 2)
    if len(parts) == 2:
        return (flowfilter.match_all, parts[0], parts[1])
    if len(parts) == 3:
        return (flowfilter.parse(parts[0]), parts[1], parts[2])
    raise ValueError("Invalid number of parameters (2 or 3 are expected)")
