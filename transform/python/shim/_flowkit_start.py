"""Started by flowkit; see PROTOCOL.md of transform/python."""
import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))
if sys.path[0] != _here:  # PYTHONSAFEPATH
    sys.path.insert(0, _here)

# The compiled form of this package is kept, whatever the user wants for scripts: without it
# a start takes twice as long.
_keep, sys.dont_write_bytecode = sys.dont_write_bytecode, False

from _flowkit import bridge  # noqa: E402
from _flowkit.run import class_of  # noqa: E402

class_of(0)
sys.dont_write_bytecode = _keep

bridge.main()
