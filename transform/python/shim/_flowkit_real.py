"""Started by flowkit for --real-mitmproxy; see PROTOCOL.md of transform/python.

Of this folder only _flowkit is to be found: its mitmproxy would hide the real one.
"""
import os
import sys
from importlib.util import module_from_spec, spec_from_file_location

_here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [p for p in sys.path if os.path.realpath(p or ".") != os.path.realpath(_here)]


def _package(name):
    folder = os.path.join(_here, name)
    spec = spec_from_file_location(name, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder])
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


_package("_flowkit")

from _flowkit import real  # noqa: E402

real.main()
