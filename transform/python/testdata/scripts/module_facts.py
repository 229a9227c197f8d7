"""What a script finds around itself."""
import os
import sys

import _show  # beside the script
from _show import attempt

from mitmproxy import ctx

here = sys.path[0] == os.path.dirname(os.path.abspath(__file__))
print("exec", __name__, os.path.basename(__file__), here, __name__ in sys.modules, __doc__, [k for k in sorted(globals()) if k.startswith("__")])


def load(loader):
    print("load", os.path.dirname(os.path.abspath(__file__)) in sys.path, ctx.options is not None, ctx.master is loader.master, attempt(__import__, "_diffx").split(":")[0])


def running():
    print("running", os.path.dirname(os.path.abspath(__file__)) in sys.path, ctx.options.scripts == [__file__], os.path.basename(name))
    print(type(ctx.master.addons).__name__, attempt(lambda: len(ctx.master.addons) > 0), __name__ in sys.modules)
    import _show as again
    print(again is _show)
