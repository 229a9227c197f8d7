"""Commands that need a live proxy or a UI."""
from _show import attempt, name

from mitmproxy import ctx


def running():
    for c in ("view.flows.resolve", "console.command", "view.order.options"):
        print(c, attempt(ctx.master.commands.call, c, "@all"), c in ctx.master.commands.commands)
    print("view" in ctx.master.addons, ctx.master.addons.get("view"), hasattr(ctx.master, "view"), hasattr(ctx, "proxy"))


def websocket_message(flow):
    if flow.request.path == "/ws-bad-text":
        print(name(flow), attempt(ctx.master.commands.call, "inject.websocket", flow, True, b"x", False))


def tcp_message(flow):
    if flow.error:
        print(name(flow), attempt(ctx.master.commands.call, "inject.tcp", flow, True, b"x"))
