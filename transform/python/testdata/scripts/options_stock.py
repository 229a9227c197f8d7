"""The options that mitmdump has of itself."""
import io

from _show import attempt, show

from mitmproxy import ctx, options, optmanager

OURS = {"scripts", "confdir", "save_stream_file", "rfile", "flow_detail", "termlog_verbosity", "server"}


def running():
    o = ctx.options
    for k in sorted(o.keys()):
        print(k, "as run" if k in OURS else show(getattr(o, k)), show(o.default(k)), "" if k in OURS else o.has_changed(k))
    print(type(o) is options.Options, isinstance(o, optmanager.OptManager), attempt(getattr, o, "nosuch"))
    print(attempt(setattr, o, "showhost", True), o.showhost, attempt(setattr, o, "listen_port", "x"), o.listen_port)


def load(loader):
    o = optmanager.OptManager()
    o.add_option("one", str, "1", "One option.")
    o.add_option("two", int, 2, "Two.", None)
    o.one = "changed"
    print(o.one, o.has_changed("one"), o.has_changed("two"), sorted(o.keys()), repr(o.one), attempt(lambda: o == optmanager.OptManager()))
    print(optmanager.dump_dicts(o), attempt(optmanager.parse, "a: 1\nb: [x, y]\n"), attempt(optmanager.load, o, "two: 5"), o.two, attempt(optmanager.load, o, "two: x"))
    out = io.StringIO()
    optmanager.dump_defaults(o, out)
    optmanager.serialize(o, out, "")
    print(out.getvalue())
    o.update_defer(three="later")
    o.add_option("three", str, "x", "Three.")
    print(o.three, o.process_deferred(), o.three, attempt(o.merge, {"one": "merged"}), o.one)
    o.changed.connect(changed)
    o.update(one="a", two=1)
    o.errored.connect(changed)
    o.reset()
    print(o.one, o.two)


def changed(options, updated):
    print("changed", sorted(updated))
