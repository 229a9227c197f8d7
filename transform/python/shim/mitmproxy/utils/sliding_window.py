"""Looking behind and ahead in an iterator."""
from __future__ import annotations

import itertools


def window(iterator, behind=0, ahead=0):
    """Yields each element with its neighbours: `behind` before it and `ahead` after it, None where there are none.

    >>> list(window("abc", 1, 1))
    [(None, 'a', 'b'), ('a', 'b', 'c'), ('b', 'c', None)]
    """
    shifted = list(itertools.tee(iterator, behind + 1 + ahead))
    for i in range(behind):
        shifted[i] = itertools.chain([None] * (behind - i), shifted[i])
    for i in range(behind + 1, len(shifted)):
        shifted[i] = itertools.islice(shifted[i], i - behind, None)
    # The element itself decides when it is over.
    this = shifted[behind]
    for value in this:
        yield tuple(value if it is this else next(it, None) for it in shifted)
