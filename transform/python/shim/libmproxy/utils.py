"""Helpers, as up to 0.15."""
from _flowkit.legacy.utils import *  # noqa: F401,F403
