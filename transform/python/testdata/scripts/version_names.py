"""Module names, version, exceptions, hooks."""
import importlib

from _show import attempt, show

from mitmproxy import exceptions, hooks, version
from mitmproxy.addonmanager import Loader
from mitmproxy.log import LogEntry, LogTierOrder, log_tier


def load(loader):
    print(isinstance(loader, Loader), version.MITMPROXY.split()[0], version.FLOW_FORMAT_VERSION, version.VERSION)
    print(sorted(n for n in dir(exceptions) if n[0].isupper()))
    for n in ("AddonHalt", "AddonManagerError", "CommandError", "ControlException", "FlowReadException", "OptionsError", "TypeError", "MitmproxyException"):
        e = getattr(exceptions, n)
        print(n, [c.__name__ for c in e.__mro__], attempt(lambda: str(e("text"))), attempt(e), repr(e("x")))
    print(sorted(h for h in hooks.all_hooks))
    for n in ("request", "running", "done", "load", "configure", "update", "tcp_message", "tls_clienthello", "server_connect"):
        h = hooks.all_hooks[n]
        print(n, h.__name__, h.name, [f for f in getattr(h, "__dataclass_fields__", {})])
    print(attempt(lambda: hooks.UpdateHook([1]).args()), attempt(hooks.DoneHook), attempt(lambda: hooks.ConfigureHook({"a"}).args()))
    e = LogEntry("text", "info")
    print(e, e == LogEntry("text", "info"), e.msg, e.level, LogTierOrder, [log_tier(t) for t in LogTierOrder])
    for m in """addonmanager addons certs command command_lexer connection contentviews coretypes coretypes.multidict coretypes.serializable ctx dns eventsequence exceptions flow
            flowfilter hooks http io io.tnetstring log master net net.check net.dns net.encoding net.http net.http.cookies net.http.headers net.http.http1 net.http.multipart net.http.status_codes
            net.http.url net.server_spec net.tls options optmanager script script.concurrent stateobject tcp test test.taddons test.tflow test.tutils tls types utils utils.human utils.strutils utils.data
            utils.emoji utils.typecheck utils.bits utils.sliding_window version websocket addons.export addons.anticache addons.anticomp addons.stickycookie addons.stickyauth addons.save addons.core""".split():
        print(m, attempt(lambda: importlib.import_module("mitmproxy." + m).__name__))
    from mitmproxy import http, dns, tcp, flow
    for m in (http, dns, tcp, flow):
        print(m.__name__, show(sorted(getattr(m, "__all__", []))))
