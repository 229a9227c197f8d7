import typing

from mitmproxy import command, ctx, flow
from mitmproxy.hooks import UpdateHook


class Comment:
    @command.command("flow.comment")
    def comment(self, flow: typing.Sequence[flow.Flow], comment: str) -> None:
        """Sets the comment of flows."""
        for f in flow:
            f.comment = comment
        ctx.master.addons.trigger(UpdateHook(flow))
