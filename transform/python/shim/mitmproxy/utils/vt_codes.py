"""Whether a terminal knows escape sequences."""
from __future__ import annotations

import sys


def ensure_supported(f):
    """Whether a file is a terminal that takes escape sequences for colours."""
    if not f.isatty():
        return False
    return sys.platform != "win32" or _enable(f)


def _enable(f):
    """Turns the sequences on in the console of Windows."""
    import ctypes
    import msvcrt

    ENABLE_VIRTUAL_TERMINAL_PROCESSING = 4
    kernel32 = ctypes.windll.kernel32
    handle = msvcrt.get_osfhandle(f.fileno())
    mode = ctypes.c_uint()
    if not kernel32.GetConsoleMode(handle, ctypes.byref(mode)):
        return False
    return bool(kernel32.SetConsoleMode(handle, mode.value | ENABLE_VIRTUAL_TERMINAL_PROCESSING))
