"""Dumps read with io.FlowReader and tnetstrings."""
import io as stdio

from _show import attempt, name, show

from mitmproxy import ctx, exceptions, io
from mitmproxy.io import tnetstring


def running():
    with open(ctx.options.rfile, "rb") as f:
        data = f.read()
    flows = list(io.FlowReader(stdio.BytesIO(data)).stream())
    print(len(flows), [f.type for f in flows][::10], flows[3].request.url, flows[3].response.status_code)
    for f in flows[::13]:
        print(name(f), f.type, list(f.get_state()), f.live, attempt(lambda: f.response.text), f.client_conn.peername)
    out = stdio.BytesIO()
    w = io.FlowWriter(out)
    for f in flows:
        w.add(f)
    with open("again.mitm", "wb") as f:
        f.write(out.getvalue())
    for bad in (b"", b"x", data[:100], b"5:hello,", b"2:{}", data[:5000] + b"junk", b"0:}", b"99999999999:x,"):
        reader = io.FlowReader(stdio.BytesIO(bad))
        try:
            print(len(list(reader.stream())))
        except exceptions.FlowReadException as e:
            print(type(e).__name__, ascii(str(e)))
        except Exception as e:
            print("!", type(e).__name__, ascii(str(e)))
    for value in (None, True, False, 0, -5, 10 ** 30, 1.5, 1e300, -0.0, 1 / 3, "", "caf\u00e9", b"\xff", [], [1, [2]], {}, {"a": b"b", b"c": None}, (1, 2), float("inf")):
        print(show(value), attempt(tnetstring.dumps, value), attempt(lambda: tnetstring.loads(tnetstring.dumps(value))))
    for bad in (b"", b"5:hello", b"5:hello?", b"1:x#", b"4:trud!", b"x:y,", b"0:~", b"1:a~", b"3:1:a,]", b"4:1:a,}", b"08:12345678,", b"3:abc,rest", b"-1:x,", b"3:1.5^", b"1:\xff;", b"6:5:hel]"):
        print(bad, attempt(tnetstring.loads, bad), attempt(tnetstring.pop, bad), attempt(lambda: tnetstring.load(stdio.BytesIO(bad))))
    print(attempt(tnetstring.dumps, {1, 2}), attempt(tnetstring.dumps, {1: 2}))
    f = stdio.BytesIO()
    tnetstring.dump({"k": [1, 2.5, None, "t"]}, f)
    print(f.getvalue())
