"""Saving flows to a file while a script runs: flowkit itself has its own -w."""
import os.path
import sys
import typing
from pathlib import Path

from mitmproxy import command, ctx, exceptions, flow, flowfilter, io, types
from mitmproxy.addons import _options


def _path(path):
    """The path of an option, without the + of appending."""
    return os.path.expanduser(path[1:] if path.startswith("+") else path)


def _mode(path):
    return "ab" if path.startswith("+") else "wb"


class Save:
    """Writes flows to `save_stream_file` when they are complete."""

    def __init__(self):
        self.stream = None
        self.filt = None
        self.active_flows = {}
        self.current_path = None
        self._file = None

    def load(self, loader):
        loader.add_option("save_stream_file", _options.OptionalStr, None, "File that flows are saved to.")
        loader.add_option("save_stream_filter", _options.OptionalStr, None, "Save the flows that match.")

    def configure(self, updated):
        if "save_stream_filter" in updated:
            self.filt = _options.parse_filter(ctx.options.save_stream_filter)
        if "save_stream_file" in updated or "save_stream_filter" in updated:
            if not ctx.options.save_stream_file:
                self.done()
                return
            try:
                self.maybe_rotate_to_new_file()
            except OSError as e:
                raise exceptions.OptionsError(str(e)) from e

    def maybe_rotate_to_new_file(self):
        """Opens the file of the option, whose name may tell the time (%Y ...), unless it is open."""
        import datetime

        wanted = ctx.options.save_stream_file
        path = datetime.datetime.today().strftime(_path(wanted))
        if self.current_path == path:
            return
        self._close()
        self.start_stream_to_path(path, self.filt, _mode(wanted))

    def start_stream_to_path(self, path, flt=None, mode="wb"):
        """Writes flows to a file from now on."""
        Path(path).absolute().parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, mode)
        self.filt = flt
        self.stream = io.FlowWriter(self._file)
        self.current_path = path

    def _close(self):
        if self._file:
            self._file.close()
        self._file = self.stream = self.current_path = None

    def save_flow(self, flow):
        """Writes a flow that is complete. A file that cannot be written ends the program."""
        if not self.stream:
            return
        self.active_flows.pop(id(flow), None)
        try:
            if ctx.options.save_stream_file:
                self.maybe_rotate_to_new_file()
            self._write(flow)
        except OSError as e:
            print("Error while writing to %s: %s" % (self.current_path, e), file=sys.stderr)
            sys.exit(1)

    def _write(self, flow):
        if flowfilter.match(self.filt, flow):
            self.stream.add(flow)
            self._file.flush()

    def done(self):
        if self.stream:
            for f in self.active_flows.values():
                self._write(f)
            self.active_flows.clear()
            self._close()

    @command.command("save.file")
    def save(self, flows: typing.Sequence[flow.Flow], path: types.Path) -> None:
        """Writes flows to a file. A + before the path appends."""
        try:
            with open(_path(path), _mode(path)) as out:
                writer = io.FlowWriter(out)
                for f in flows:
                    writer.add(f)
        except OSError as e:
            raise exceptions.CommandError(e) from e
        import logging

        from mitmproxy.log import ALERT

        logging.getLogger(__name__).log(ALERT, "Saved %s flows." % len(flows))

    def _start(self, flow):
        if self.stream:
            self.active_flows[id(flow)] = flow

    request = tcp_start = udp_start = dns_request = _start

    def response(self, flow):
        # Those of WebSocket are complete at its end.
        if flow.websocket is None:
            self.save_flow(flow)

    def error(self, flow):
        self.response(flow)

    def tcp_end(self, flow):
        self.save_flow(flow)

    tcp_error = udp_end = udp_error = dns_response = dns_error = websocket_end = tcp_end
