"""The commands that mitmdump has.

Those that need a live proxy, a view or a clipboard do nothing but say so once.
"""
from mitmproxy import command, ctx, exceptions, hooks, log, optmanager, types

# The annotations must be what types.CommandTypes has, on every version of Python.
_Flows = types._FLOWS
_Strings = types._STRINGS

_ENCODINGS = ["gzip", "deflate", "br", "zstd"]
_REQUEST_ATTRIBUTES = ("host", "method", "path", "url")


def load_script(path):
    """The module of a script, None if it cannot be loaded, which is logged."""
    import importlib.machinery
    import importlib.util
    import os
    import sys

    full = os.path.expanduser(path.strip("'\" "))
    if not os.path.isfile(full):
        raise exceptions.OptionsError("No such script")
    log.emit("info", __name__, "Loading script %s" % path)
    stem = os.path.splitext(os.path.basename(full))[0]
    name = "__mitmproxy_script__." + stem
    sys.modules.pop(name, None)
    folder = os.path.dirname(full)
    sys.path.insert(0, folder)
    try:
        loader = importlib.machinery.SourceFileLoader(name, full)
        module = importlib.util.module_from_spec(
            importlib.util.spec_from_file_location(name, full, loader=loader)
        )
        sys.modules[name] = module
        if not getattr(module, "name", None):
            module.name = full
        loader.exec_module(module)
    except Exception as e:
        import traceback

        text = "".join(traceback.format_exception(type(e), e, e.__traceback__))
        log.emit("error", __name__, "in script %s: %s\n%s" % (path, e, text.rstrip()))
        return None
    finally:
        sys.path.remove(folder)
    return module


def _updated(flows):
    ctx.master.addons.trigger(hooks.UpdateHook(list(flows)))


def _alert(text):
    log.emit("alert", __name__, text)


class Core:
    """The commands on flows and options, which tests of addons have as well."""

    name = "core"

    @command.command("set")
    def set(self, option: str, *value: str) -> None:
        """
        Set an option. Without a value, a bool becomes true, a text or number None if that is
        allowed, and a sequence empty.
        """
        specs = ["%s=%s" % (option, v) for v in value] or [option]
        try:
            ctx.options.set(*specs)
        except exceptions.OptionsError as e:
            raise exceptions.CommandError(e) from e

    @command.command("flow.resume")
    def resume(self, flows: _Flows) -> None:
        """Let intercepted flows go on."""
        found = [f for f in flows if f.intercepted]
        for f in found:
            f.resume()
        _updated(found)

    @command.command("flow.mark")
    def mark(self, flows: _Flows, marker: types.Marker) -> None:
        """Mark flows."""
        valid = types._MarkerType().is_valid(None, types.Marker, marker)
        if not valid or marker in ("true", "false"):
            raise exceptions.CommandError("invalid marker value")
        for f in flows:
            f.marked = marker
        _updated(flows)

    @command.command("flow.mark.toggle")
    def mark_toggle(self, flows: _Flows) -> None:
        """Mark the flows that are not, unmark the others."""
        for f in flows:
            f.marked = "" if f.marked else ":default:"
        _updated(flows)

    @command.command("flow.kill")
    def kill(self, flows: _Flows) -> None:
        """Kill the flows that are alive."""
        found = [f for f in flows if f.killable]
        for f in found:
            f.kill()
        _alert("Killed %s flows." % len(found))
        _updated(found)

    @command.command("flow.revert")
    def revert(self, flows: _Flows) -> None:
        """Undo the changes of flows that have a backup."""
        found = [f for f in flows if f.modified()]
        for f in found:
            f.revert()
        _alert("Reverted %s flows." % len(found))
        _updated(found)

    @command.command("flow.set.options")
    def flow_set_options(self) -> _Strings:
        """What flow.set can set."""
        return ["host", "status_code", "method", "path", "url", "reason"]

    @command.command("flow.set")
    @command.argument("attr", type=types.Choice("flow.set.options"))
    def flow_set(self, flows: _Flows, attr: str, value: str) -> None:
        """Set a part of the request or response of flows."""
        if attr == "status_code":
            try:
                value = int(value)
            except ValueError as e:
                raise exceptions.CommandError(
                    "Status code is not an integer: %s" % value
                ) from e
        for f in flows:
            part = "request" if attr in _REQUEST_ATTRIBUTES else "response"
            message = getattr(f, part, None)
            if not message or attr not in self.flow_set_options():
                continue
            try:
                setattr(message, attr, value)
            except ValueError as e:
                raise exceptions.CommandError(
                    "URL %r is invalid: %s" % (value, e)
                ) from e
            if attr == "status_code":
                self._set_reason(message)
        _updated(flows)
        # All of them, whether they have such a part or not.
        _alert("Set %s on  %s flows." % (attr, len(flows)))

    @staticmethod
    def _set_reason(response):
        from mitmproxy.net.http import status_codes

        if response.status_code in status_codes.RESPONSES:
            response.reason = status_codes.RESPONSES[response.status_code]

    def _parts(self, flows, part):
        for f in flows:
            message = getattr(f, part, None)
            if message:
                yield f, message

    @command.command("flow.decode")
    def decode(self, flows: _Flows, part: str) -> None:
        """Take the content-encoding off the request or response."""
        changed = []
        for f, message in self._parts(flows, part):
            f.backup()
            message.decode()
            changed.append(f)
        _updated(changed)
        _alert("Decoded %s flows." % len(changed))

    @command.command("flow.encode.toggle")
    def encode_toggle(self, flows: _Flows, part: str) -> None:
        """Deflate the request or response, or take its encoding off."""
        changed = []
        for f, message in self._parts(flows, part):
            f.backup()
            if message.headers.get("content-encoding", "identity") == "identity":
                message.encode("deflate")
            else:
                message.decode()
            changed.append(f)
        _updated(changed)
        _alert("Toggled encoding on %s flows." % len(changed))

    @command.command("flow.encode")
    @command.argument("encoding", type=types.Choice("flow.encode.options"))
    def encode(self, flows: _Flows, part: str, encoding: str) -> None:
        """Encode the request or response where it is not."""
        changed = []
        for f, message in self._parts(flows, part):
            if message.headers.get("content-encoding", "identity") == "identity":
                f.backup()
                message.encode(encoding)
                changed.append(f)
        _updated(changed)
        _alert("Encoded %s flows." % len(changed))

    @command.command("flow.encode.options")
    def encode_options(self) -> _Strings:
        """The encodings for flow.encode."""
        return list(_ENCODINGS)

    @command.command("options.load")
    def options_load(self, path: types.Path) -> None:
        """Load options from a file."""
        try:
            optmanager.load_paths(ctx.options, path)
        except (OSError, exceptions.OptionsError) as e:
            raise exceptions.CommandError("Could not load options - %s" % e) from e

    @command.command("options.save")
    def options_save(self, path: types.Path) -> None:
        """Save options to a file."""
        try:
            optmanager.save(ctx.options, path)
        except OSError as e:
            raise exceptions.CommandError("Could not save options - %s" % e) from e

    @command.command("options.reset")
    def options_reset(self) -> None:
        """Give all options their defaults."""
        ctx.options.reset()

    @command.command("options.reset.one")
    def options_reset_one(self, name: str) -> None:
        """Give one option its default."""
        if name not in ctx.options:
            raise exceptions.CommandError("No such option: %s" % name)
        setattr(ctx.options, name, ctx.options.default(name))


class Commands(Core):
    """Those of mitmdump's other addons."""

    @command.command("cut")
    def cut(self, flows: _Flows, cuts: types.CutSpec) -> types.Data:
        """
        Cut data from flows. A cut is a path of attributes from the flow on, with "host" and
        "port" for the parts of an address and "header[name]" for a header.
        """
        from mitmproxy.addons.cut import extract

        return [[extract(one, f) for one in cuts] for f in flows]

    @command.command("cut.save")
    def cut_save(self, flows: _Flows, cuts: types.CutSpec, path: types.Path) -> None:
        """
        Save cuts to a file: a single one as it is, more than one as CSV. A path that begins
        with + is appended to.
        """
        append = path.startswith("+")
        path = path[1:] if append else path
        rows = self.cut(flows, cuts)
        try:
            if len(cuts) == 1 and len(flows) == 1:
                _save_single(rows[0][0], path, append)
                _alert("Saved single cut.")
            else:
                _save_table(rows, path, append)
                _alert(
                    "Saved %s cuts over %s flows as CSV." % (len(cuts), len(flows))
                )
        except OSError as e:
            log.emit("error", __name__, str(e))

    @command.command("script.run")
    def script_run(self, flows: _Flows, path: types.Path) -> None:
        """
        Run a script on flows: it is configured, and told all events of each flow. There is no
        load event.
        """
        from mitmproxy import eventsequence

        try:
            module = load_script(path)
        except exceptions.OptionsError as e:
            raise exceptions.CommandError("Error running script: %s" % e) from e
        if module is None:
            return
        invoke = ctx.master.addons.invoke_addon_sync
        invoke(module, hooks.RunningHook())
        invoke(module, hooks.ConfigureHook(ctx.options.keys()))
        for f in flows:
            for event in eventsequence.iterate(f):
                invoke(module, event)

    @command.command("readfile.reading")
    def reading(self) -> bool:
        """Whether flows are being read."""
        return not ctx.master.should_exit

    def __init__(self):
        self._said = set()
        for path, result in _LIVE.items():
            setattr(self, path.replace(".", "_") + "_nothing", self._nothing(path, result))

    def _nothing(self, path, result):
        """A command without effect."""

        def nothing(*args: str) -> _RESULTS[type(result)]:
            if path not in self._said:
                self._said.add(path)
                log.emit(
                    "warn",
                    __name__,
                    "The command %s does nothing here: it needs a live proxy or a user "
                    "interface." % path,
                )
            return result

        nothing.command_name = path
        return nothing


_RESULTS = {type(None): None, list: _Strings, int: int, str: str}

# Command and what it returns.
_LIVE = {
    "browser.start": None,
    "commands.history.add": None,
    "commands.history.clear": None,
    "commands.history.filter": None,
    "commands.history.get": [],
    "commands.history.next": "",
    "commands.history.prev": "",
    "cut.clip": None,
    "export.clip": None,
    "inject.tcp": None,
    "inject.udp": None,
    "inject.websocket": None,
    "replay.client": None,
    "replay.client.count": 0,
    "replay.client.file": None,
    "replay.client.stop": None,
    "replay.server": None,
    "replay.server.add": None,
    "replay.server.count": 0,
    "replay.server.file": None,
    "replay.server.stop": None,
    "view.clear": None,
    "view.clear_unmarked": None,
    "view.filter.set": None,
    "view.flows.add": None,
    "view.flows.create": None,
    "view.flows.duplicate": None,
    "view.flows.load": None,
    "view.flows.remove": None,
    "view.focus.go": None,
    "view.focus.next": None,
    "view.focus.prev": None,
    "view.order.reverse": None,
    "view.order.set": None,
    "view.settings.setval": None,
    "view.settings.setval.toggle": None,
}


def _save_single(value, path, append):
    with open(path, "ab" if append else "wb") as f:
        if f.tell() > 0:
            f.write(b"\n")
        f.write(value if isinstance(value, bytes) else value.encode("utf-8"))


def _save_table(rows, path, append):
    import csv

    with open(path, "a" if append else "w", newline="", encoding="utf-8") as f:
        csv.writer(f).writerows(rows)


def collect(manager):
    """Adds all of them."""
    from mitmproxy.addons import comment, export, save

    for addon in (comment.Comment(), export.Export(), save.Save(), Commands()):
        manager.collect_commands(addon)
