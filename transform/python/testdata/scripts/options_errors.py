"""OptionsError out of configure, when options change later: the change is undone."""
from _show import attempt, name

from mitmproxy import ctx, exceptions


class Careful:
    def load(self, loader):
        loader.add_option("careful", str, "ok", "Refuses bad.")
        loader.add_option("broken", int, 0, "Raises.")

    def configure(self, updated):
        print("configure", sorted(updated) if len(updated) < 5 else "all")
        if "careful" in updated and ctx.options.careful == "bad":
            raise exceptions.OptionsError("careful must not be bad")
        if "broken" in updated and ctx.options.broken:
            raise ValueError("broken is %d" % ctx.options.broken)

    def request(self, flow):
        if flow.request.path == "/index.html":
            print(attempt(setattr, ctx.options, "careful", "bad"), ctx.options.careful)
            print(attempt(ctx.options.update, careful="bad", broken=0), ctx.options.careful)
            print(attempt(setattr, ctx.options, "careful", "fine"), ctx.options.careful)
            ctx.options.broken = 5
            print(ctx.options.broken)


addons = [Careful()]
