# Options, commands, and the hooks of a script's life.
import typing
from collections.abc import Sequence

from _log import log
from mitmproxy import command, ctx, exceptions

log("import", __name__ != "__main__")


class Addon:
    def load(self, loader):
        log("load")
        loader.add_option("live_text", str, "plain", "a text")
        loader.add_option("live_number", int, 3, "a number")
        loader.add_option("live_switch", bool, False, "a switch")
        loader.add_option("live_list", Sequence[str], [], "a list")
        loader.add_option("live_maybe", typing.Optional[int], None, "a number or none")
        loader.add_option("live_choice", str, "a", "one of these", choices=["a", "b"])

    def configure(self, updated):
        log("configure", sorted(n for n in updated if n.startswith("live_")), "listen_port" in updated)
        if ctx.options.live_number < 0:
            raise exceptions.OptionsError("not below zero")

    def running(self):
        o = ctx.options
        log("running", o.live_text, o.live_number, o.live_switch, list(o.live_list), o.live_maybe, o.live_choice)

    def done(self):
        log("done")

    @command.command("live.twice")
    def twice(self, text: str, n: int = 2) -> Sequence[str]:
        return [text] * n

    def request(self, flow):
        log("command", ctx.master.commands.call("live.twice", flow.request.path), ctx.master.commands.execute("live.twice x 3"))
        if flow.request.path == "/set":
            ctx.options.live_text = "set live"
            ctx.options.update(live_number=7, live_list=["z"])
            log("is", ctx.options.live_text, ctx.options.live_number)
            try:
                ctx.options.update(live_number=-1)
            except exceptions.OptionsError as e:
                log("refused", e, ctx.options.live_number)
        flow.request.headers["X-Option"] = ctx.options.live_text


addons = [Addon()]
