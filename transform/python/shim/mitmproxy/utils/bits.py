"""Bits of a number."""


def setbit(byte, offset, value):
    """`byte` with the bit at `offset` on or off."""
    return byte | 1 << offset if value else byte & ~(1 << offset)


def getbit(byte, offset):
    """Whether the bit at `offset` is on."""
    return bool(byte >> offset & 1)
