"""Ordered dictionaries of lists."""
from _flowkit.legacy.odict import ODict, ODictCaseless  # noqa: F401
