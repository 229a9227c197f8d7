"""Flows as commands for curl and httpie, and as raw messages."""
import shlex
import typing

from mitmproxy import command, ctx, exceptions, flow, http, types
from mitmproxy.net.http.http1 import assemble
from mitmproxy.utils import strutils

_BODY_METHODS = ("POST", "PUT", "PATCH")


def cleanup_request(f):
    """A copy of the request without its content-encoding. CommandError if there is none."""
    request = getattr(f, "request", None)
    if not isinstance(request, http.Request):
        raise exceptions.CommandError("Can't export flow with no request.")
    return _decoded(request)


def cleanup_response(f):
    """A copy of the response without its content-encoding. CommandError if there is none."""
    response = getattr(f, "response", None)
    if not isinstance(response, http.Response):
        raise exceptions.CommandError("Can't export flow with no response.")
    length = response.headers.get("content-length")
    response = _decoded(response)
    if f.request.method == "HEAD" and length is not None:
        # It is that of the body which GET gives.
        response.headers["content-length"] = length
    return response


def _decoded(message):
    message = message.copy()
    content = message.get_content(strict=False)
    message.headers.pop("content-encoding", None)
    message.content = content
    return message


def pop_headers(request):
    """Removes the headers that curl and httpie make themselves."""
    request.headers.pop("content-length", None)
    for name in ("host", ":authority"):
        if request.headers.get(name, "") == request.host:
            request.headers.pop(name)
    return request


def request_content_for_console(request):
    """The body as a word for a shell. CommandError if it is no text."""
    try:
        text = request.get_text(strict=True)
    except ValueError:
        text = None
    if text is None:
        raise exceptions.CommandError("Request content must be valid unicode")
    if all(c >= " " for c in text):
        return shlex.quote(text)
    # printf is told the control characters, and what it would take for something else.
    special = {"\\": "\\\\", "%": "%%"}
    special.update((chr(c), "\\x%02x" % c) for c in range(32))
    return '"$(printf %s)"' % shlex.quote("".join(special.get(c, c) for c in text))


def _resolve(f, request):
    """What has curl connect to the address that the flow went to, if that is wanted."""
    address = f.server_conn.peername
    if not getattr(ctx.options, "export_preserve_original_ip", False) or not address:
        return []
    if request.pretty_host == address[0]:
        return []
    return ["--resolve", "%s:%d:[%s]" % (request.pretty_host, request.port, address[0])]


def curl_command(f: flow.Flow) -> str:
    request = pop_headers(cleanup_request(f))
    words = ["curl"] + _resolve(f, request)
    for name, value in request.headers.items(multi=True):
        words += ["--compressed"] if name.lower() == "accept-encoding" else ["-H", "%s: %s" % (name, value)]
    if not request.content and request.method in _BODY_METHODS:
        words += ["-H", "content-length: 0"]
    if request.method != "GET":
        words += ["-X", request.method]
    words.append(request.pretty_url)
    line = " ".join(shlex.quote(word) for word in words)
    return line + " -d " + request_content_for_console(request) if request.content else line


def httpie_command(f: flow.Flow) -> str:
    request = pop_headers(cleanup_request(f))
    words = ["http", request.method, request.pretty_url]
    words += ["%s: %s" % header for header in request.headers.items(multi=True)]
    line = " ".join(shlex.quote(word) for word in words)
    return line + " <<< " + request_content_for_console(request) if request.content else line


def raw_request(f: flow.Flow) -> bytes:
    request = cleanup_request(f)
    if request.raw_content is None:
        raise exceptions.CommandError("Request content missing.")
    return assemble.assemble_request(request)


def raw_response(f: flow.Flow) -> bytes:
    response = cleanup_response(f)
    if response.raw_content is None:
        raise exceptions.CommandError("Response content missing.")
    return assemble.assemble_response(response)


def raw(f: flow.Flow, separator=b"\r\n\r\n") -> bytes:
    """The request, the response and the WebSocket messages, as far as there are any."""
    parts = []
    if isinstance(f, http.HTTPFlow):
        if f.request and f.request.raw_content is not None:
            parts.append(raw_request(f))
        if f.response and f.response.raw_content is not None:
            parts.append(raw_response(f))
    if not parts:
        raise exceptions.CommandError("Can't export flow with no request or response.")
    if f.websocket and f.websocket.messages:
        parts.append(b"\n".join(_message_line(m) for m in f.websocket.messages))
    return separator.join(parts)


def _message_line(message):
    return (b"[OUTGOING] " if message.from_client else b"[INCOMING] ") + message.content


formats = {
    "curl": curl_command,
    "httpie": httpie_command,
    "raw": raw,
    "raw_request": raw_request,
    "raw_response": raw_response,
}


class Export:
    def load(self, loader):
        loader.add_option(
            "export_preserve_original_ip", bool, False, "Have exported commands connect to the very address."
        )

    @command.command("export.formats")
    def formats(self) -> typing.Sequence[str]:
        """The names of the formats."""
        return list(sorted(formats.keys()))

    @command.command("export.file")
    def file(self, format: str, flow: flow.Flow, path: types.Path) -> None:
        """Writes a flow to a file."""
        data = _export(format, flow)
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogateescape")
        try:
            with open(path, "wb") as out:
                out.write(data)
        except OSError as e:
            import logging

            logging.getLogger(__name__).error(str(e))

    @command.command("export.clip")
    def clip(self, format: str, f: flow.Flow) -> None:
        """Puts a flow into the clipboard."""
        text = self.export_str(format, f)
        try:
            import pyperclip
        except ImportError:
            raise exceptions.CommandError("export.clip needs the package pyperclip.") from None
        try:
            pyperclip.copy(text)
        except pyperclip.PyperclipException as e:
            import logging

            logging.getLogger(__name__).error(str(e))

    @command.command("export")
    def export_str(self, format: str, f: flow.Flow) -> str:
        """A flow as text."""
        data = _export(format, f)
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogateescape")
        return strutils.always_str(data, "utf-8", "backslashreplace")


def _export(format, f):
    if format not in formats:
        raise exceptions.CommandError("No such export format: %s" % format)
    return formats[format](f)
