"""The events of HTTP."""
from mitmproxy import hooks

globals().update(hooks.of_module(__name__))
