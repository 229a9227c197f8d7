"""What the process is and does, for reports of bugs."""
from __future__ import annotations

import platform
import sys
import threading
import traceback

from mitmproxy import version


def dump_system_info():
    return "\n".join(
        [
            "Mitmproxy: %s" % version.VERSION,
            "Python:    %s" % platform.python_version(),
            "Platform:  %s" % platform.platform(),
        ]
    )


def dump_info(signal=None, frame=None, file=None):
    """Prints the threads of the process, and the tasks of a running loop."""
    file = file or sys.stdout
    print("****************************************************", file=file)
    print("Summary", file=file)
    print("=======", file=file)
    print(dump_system_info(), file=file)
    print("\nThreads\n=======", file=file)
    for thread in threading.enumerate():
        print(thread, file=file)
    tasks = _tasks()
    if tasks is not None:
        from mitmproxy.utils.asyncio_utils import task_repr

        print("\nTasks\n=======", file=file)
        for task in tasks:
            print(task_repr(task), file=file)


def _tasks():
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        return asyncio.all_tasks()
    except RuntimeError:
        return None


def dump_stacks(signal=None, frame=None, file=None):
    """Prints the stack of every thread."""
    file = file or sys.stdout
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, stack in sys._current_frames().items():
        print("\n# Thread: %s(%d)" % (names.get(ident, ""), ident), file=file)
        for line in traceback.format_stack(stack):
            print(line.rstrip(), file=file)


def register_info_dumpers():
    """Does nothing: the signals are flowkit's."""
