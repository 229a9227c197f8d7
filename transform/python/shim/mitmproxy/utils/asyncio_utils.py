"""Tasks with a name and a client."""
from __future__ import annotations

import asyncio
import contextlib
import os
import time

from mitmproxy.utils import human

_keep = set()


def create_task(coro, *, name, client=None, keep_ref=False):
    """asyncio.create_task that notes when, for what and for whom the task was made.

    keep_ref: the task is kept until it is done, as asyncio itself does not.
    """
    task = asyncio.get_running_loop().create_task(coro)
    set_task_debug_info(task, name=name, client=client)
    if keep_ref and not task.done():
        _keep.add(task)
        task.add_done_callback(_keep.discard)
    return task


def set_task_debug_info(task, *, name, client=None):
    task.created = time.time()
    if __debug__ and "PYTEST_CURRENT_TEST" in os.environ:
        name = "%s [created in %s]" % (name, os.environ["PYTEST_CURRENT_TEST"])
    task.set_name(name)
    if client:
        task.client = client


def set_current_task_debug_info(*, name, client=None):
    set_task_debug_info(asyncio.current_task(), name=name, client=client)


def task_repr(task):
    """A task as "client: name (age)"."""
    client = getattr(task, "client", None)
    created = getattr(task, "created", None)
    return "%s%s%s" % (
        "%s: " % human.format_address(client) if client else "",
        task.get_name(),
        " (age: %.0fs)" % (time.time() - created) if created else "",
    )


@contextlib.contextmanager
def install_exception_handler(handler):
    """Handles exceptions of the running loop by `handler` within the block."""
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(handler)
    try:
        yield
    finally:
        loop.set_exception_handler(before)


@contextlib.contextmanager
def set_eager_task_factory():
    """Runs tasks at once up to their first wait within the block, where Python can (3.12)."""
    loop = asyncio.get_running_loop()
    before = loop.get_task_factory()
    if hasattr(asyncio, "eager_task_factory"):
        loop.set_task_factory(asyncio.eager_task_factory)
    try:
        yield
    finally:
        loop.set_task_factory(before)
