"""What scripts import, as up to 0.15."""
from _flowkit.legacy.context import ScriptContext  # noqa: F401
from mitmproxy.exceptions import ScriptException as ScriptError  # noqa: F401
from mitmproxy.script import concurrent  # noqa: F401
