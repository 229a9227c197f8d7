# flowkit: fails
"""An async load, which cannot be."""


async def load(loader):
    pass
