"""The proxy itself, which flowkit does not have: scripts may import its names, annotate by them and derive
from them. What saved flows have (modes, addresses, the data of hooks) is real.
"""
