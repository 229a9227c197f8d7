"""Loading scripts; flowkit does so."""
from mitmproxy.utils._live import live_class

Script = live_class(__name__, "Script")
ScriptLoader = live_class(__name__, "ScriptLoader")
