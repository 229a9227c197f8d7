"""Functions that are told when something happens."""
from __future__ import annotations

import inspect
import weakref


class _Signal:
    """Keeps its receivers weakly. `receiver_spec` is a function with their signature, for readers."""

    def __init__(self, receiver_spec):
        self.receivers = []

    def connect(self, receiver):
        make = weakref.WeakMethod if hasattr(receiver, "__self__") else weakref.ref
        self.receivers.append(make(receiver, self._forget))

    def _forget(self, ref):
        self.receivers = [r for r in self.receivers if r is not ref]

    def disconnect(self, receiver):
        self.receivers = [r for r in self.receivers if r() != receiver]

    def notify(self, *args, **kwargs):
        """Calls the receivers that are still there, one by one as their results are asked for."""
        for ref in list(self.receivers):
            receiver = ref()
            if receiver is not None:
                yield receiver(*args, **kwargs)


class SyncSignal(_Signal):
    def connect(self, receiver):
        assert not inspect.iscoroutinefunction(receiver)
        super().connect(receiver)

    def send(self, *args, **kwargs):
        for _ in self.notify(*args, **kwargs):
            pass


class AsyncSignal(_Signal):
    async def send(self, *args, **kwargs):
        for result in self.notify(*args, **kwargs):
            if inspect.isawaitable(result):
                await result
