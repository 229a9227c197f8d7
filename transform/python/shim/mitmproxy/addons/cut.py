"""Parts of flows by names like request.header[host]."""
import typing

from mitmproxy import command, exceptions, flow, types


def headername(spec):
    """The x of header[x]."""
    if not (spec.startswith("header[") and spec.endswith("]")):
        raise exceptions.CommandError("Invalid header spec: %s" % spec)
    return spec[len("header[") : -1].strip()


def is_addr(v):
    return isinstance(v, tuple) and len(v) > 1


def extract(cut, f):
    """The part `cut` of a flow: bytes of contents, else a str; "" if there is none."""
    value = f
    parts = cut.split(".")
    for i, spec in enumerate(parts):
        if spec.startswith("_"):
            raise exceptions.CommandError("Can't access internal attribute %s" % spec)
        last = i == len(parts) - 1
        if spec.startswith("header[") and hasattr(value, "headers"):
            return value.headers.get(headername(".".join(parts[i:])), "")
        if last and spec in ("host", "port") and is_addr(value):
            return str(value[spec == "port"])
        if last and spec in ("content", "raw_content") and getattr(f, "websocket", None):
            return b"\n".join(m.content for m in f.websocket.messages)
        value = getattr(value, spec, None)
    return _text(value)


def _text(value):
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and value and hasattr(value[0], "to_pem"):
        value = value[0]
    if hasattr(value, "to_pem"):
        return value.to_pem().decode("ascii")
    return str(value or "")


def extract_str(cut, f):
    """extract, with bytes as Python prints them."""
    value = extract(cut, f)
    return repr(value) if isinstance(value, bytes) else value


class Cut:
    @command.command("cut")
    def cut(self, flows: typing.Sequence[flow.Flow], cuts: types.CutSpec) -> types.Data:
        """The parts `cuts` of each flow."""
        return [[extract(cut, f) for cut in cuts] for f in flows]

    @command.command("cut.save")
    def save(self, flows: typing.Sequence[flow.Flow], cuts: types.CutSpec, path: types.Path) -> None:
        """Writes parts to a file: one part of one flow as it is, else as CSV. A + before the path appends."""
        append = path.startswith("+")
        path = path[1:] if append else path
        if len(cuts) == 1 and len(flows) == 1:
            value = extract(cuts[0], flows[0])
            with open(path, "ab" if append else "wb") as out:
                out.write(value if isinstance(value, bytes) else value.encode("utf-8"))
            return
        import csv

        with open(path, "a" if append else "w", newline="", encoding="utf8") as out:
            writer = csv.writer(out)
            for f in flows:
                writer.writerow([extract_str(cut, f) for cut in cuts])
