# flowkit: args --set a_str=text --set an_int=5 --set a_bool=true --set seq=one --set seq=two --set opt_int=7 --set choice=b --set later=early --set toggled=toggle
"""Options of every type, set on the command line, read, written, reset."""
import typing
from collections.abc import Sequence

from _show import attempt, show

from mitmproxy import ctx

NAMES = "a_str an_int a_bool seq opt_str opt_int choice default_seq no_opt toggled opt_bool later".split()


class Late:
    name = "late"

    def load(self, loader):
        loader.add_option("later", str, "default", "Added by another addon.")


class Main:
    name = "main_options"
    heard = []

    def load(self, loader):
        add = loader.add_option
        add("a_str", str, "d", "A string.")
        add("an_int", int, 1, "A number.")
        add("a_bool", bool, False, "A switch.")
        add("seq", Sequence[str], ["x"], "A list.")
        add("opt_str", typing.Optional[str], None, "Text or nothing.")
        add("opt_int", typing.Optional[int], 3, "A number or nothing.")
        add("choice", str, "a", "One of a few.", ["a", "b", "c"])
        add("default_seq", typing.Sequence[str], ("p", "q"), "A list.")
        add(name="no_opt", typespec=int, default=9, help="By name.", choices=None)
        add("toggled", bool, False, "A switch.")
        add("opt_bool", typing.Optional[bool], None, "A switch or nothing.") if 0 else None
        add("a_str", str, "d", "A string.")
        for spec, default in ((str, 5), (int, "x"), (bool, None), (dict, {}), (Sequence[int], [1]), (float, 1.5), (typing.Optional[str], 5)):
            print(spec, default, attempt(add, "bad_" + str(default).strip("{}[]. ")[:1], spec, default, "Bad."))

    def configure(self, updated):
        print("configure", sorted(set(updated) & set(NAMES)))

    def running(self):
        o = ctx.options
        for n in NAMES:
            print(n, attempt(getattr, o, n), n in o, attempt(o.default, n), attempt(o.has_changed, n))
        for n, v in (("a_str", "new"), ("an_int", "7"), ("an_int", 8), ("a_bool", "yes"), ("seq", ["n"]), ("seq", "n"), ("choice", "z"), ("choice", "c"),
                     ("opt_int", None), ("a_str", None), ("nosuch", 1), ("opt_str", "given"), ("an_int", True)):
            print("set", n, v, attempt(setattr, o, n, v), attempt(getattr, o, n))
        print(attempt(o.update, a_str="u", an_int=10), attempt(o.update, nosuch=1), attempt(o.update, a_str="not kept?", an_int="bad"), o.a_str, o.an_int)
        for spec in ("an_int=3", "an_int=x", "a_bool=false", "a_bool", "seq=a", "seq", "opt_str", "opt_int=", "a_str=a=b", "nosuch=1", "choice=q", "a_bool=toggle", "a_bool=maybe", "a_str"):
            print("spec", spec, attempt(o.set, spec), [show(getattr(o, n)) for n in NAMES[:7]])
        print(attempt(o.set, "seq=1", "seq=2", "an_int=4"), o.seq, o.an_int, attempt(o.update_known, a_str="k", nosuch=1), attempt(o.setter("a_str"), "by setter"), o.a_str, attempt(o.toggler("a_bool")), o.a_bool, attempt(o.toggler, "a_str"))
        o.subscribe(self.subscribed, ["a_str", "an_int"])
        o.a_str = "subscribed"
        o.a_bool = not o.a_bool
        print(self.heard, attempt(o.subscribe, self.subscribed, ["nosuch"]), set(NAMES) & set(o.keys()) == set(NAMES) - {"opt_bool"}, len(dict(o.items())) == len(set(o.keys())))
        print(ctx.options is ctx.master.options, attempt(o.add_option, "direct", str, "x", "Direct."), o.direct, attempt(delattr, o, "a_str"))

    def subscribed(self, options, updated):
        self.heard.append((options is ctx.options, sorted(updated), options.a_str))


addons = [Main(), Late()]
