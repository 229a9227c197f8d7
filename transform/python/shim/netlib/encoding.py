"""Content encodings."""
from _flowkit.legacy.encoding import *  # noqa: F401,F403
