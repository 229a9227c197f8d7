"""The views by their names."""
from __future__ import annotations

from collections.abc import Mapping

from mitmproxy.utils.signals import SyncSignal


def _logger():
    import logging

    return logging.getLogger(__name__)


class ContentviewRegistry(Mapping):
    """Views by lower-case name. `on_change` tells of each that is registered."""

    def __init__(self):
        self._by_name = {}
        self.on_change = SyncSignal(lambda view: None)

    def register(self, instance):
        """Adds a view, or an object of a class of views, in place of one of the same name."""
        view = instance() if isinstance(instance, type) else instance
        name = view.name.lower()
        if name in self._by_name:
            _logger().info("Replacing existing %s contentview.", name)
        self._by_name[name] = view
        self.on_change.send(view)

    def unregister(self, name):
        self._by_name.pop(name.lower(), None)

    def available_views(self):
        return ["auto"] + sorted(self._by_name)

    def get_view(self, data, metadata, view_name="auto"):
        """The view of that name, or the fittest."""
        if view_name != "auto":
            view = self._by_name.get(view_name.lower())
            if view is not None:
                return view
            _logger().warning("Unknown contentview %r, selecting best match instead.", view_name)
        return max(self._by_name.values(), key=lambda view: self._priority(view, data, metadata))

    @staticmethod
    def _priority(view, data, metadata):
        try:
            return view.render_priority(data, metadata)
        except Exception:
            _logger().exception("Error in %s.render_priority", view.name)
            return float("-inf")

    def __getitem__(self, name):
        return self._by_name[name.lower()]

    def __iter__(self):
        return iter(self._by_name)

    def __len__(self):
        return len(self._by_name)
