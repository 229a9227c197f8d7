"""Content encodings, as up to 0.13."""
from _flowkit.legacy.encoding import *  # noqa: F401,F403
