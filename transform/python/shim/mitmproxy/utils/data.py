"""Files that lie beside a module."""
from __future__ import annotations

import os


class Data:
    """The folder of a module: of `name`, one that can be imported."""

    def __init__(self, name):
        import importlib

        self.name = name
        module = importlib.import_module(name)
        self.dirname = os.path.dirname(os.path.abspath(module.__file__))

    def push(self, subpath):
        """The folder `subpath` of this one."""
        other = Data(self.name)
        other.dirname = os.path.normpath(os.path.join(self.dirname, subpath))
        return other

    def path(self, path):
        """The full path of a file or folder in it. One that does not exist raises ValueError."""
        full = os.path.join(self.dirname, path)
        if not os.path.exists(full):
            raise ValueError("dataPath: %s does not exist." % full)
        return full


pkg_data = Data(__name__).push("..")
