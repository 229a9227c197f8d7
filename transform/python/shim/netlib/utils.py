"""Helpers."""
from _flowkit.legacy.utils import *  # noqa: F401,F403
