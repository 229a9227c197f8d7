"""Started by flowkit; see PROTOCOL.md of transform/python."""
import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))
if sys.path[0] != _here:  # PYTHONSAFEPATH
    sys.path.insert(0, _here)

from _flowkit import bridge  # noqa: E402

bridge.main()
