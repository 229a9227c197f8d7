"""net.encoding: every coding, both ways."""
from _show import attempt

from mitmproxy.net import encoding

NAMES = ["identity", "none", "gzip", "deflate", "deflateraw", "deflateRaw", "br", "zstd", "utf8", "latin-1", "ascii", "GZIP", "nosuch", "", "hex", "rot13", "x-gzip"]


def load(loader):
    for n in NAMES:
        for data in (b"", b"plain cat " * 10, "text caf\u00e9", b"\xff\xfe", None):
            coded = attempt(encoding.encode, data, n)
            if n.lower() in ("gzip", "br", "zstd", "deflate", "deflateraw"):
                coded = coded.split(":")[0] if "Error" in coded else type(coded).__name__
            print(n, ascii(data)[:20], coded, attempt(lambda: encoding.decode(encoding.encode(data, n), n)), attempt(encoding.decode, data, n))
            print("  ", attempt(encoding.encode, data, n, "replace") if n in ("ascii", "latin-1") else "", attempt(encoding.decode, data, n, "replace"))
    import gzip
    import zlib
    z = zlib.compress(b"cat" * 100)
    print(attempt(encoding.decode, z, "deflate"), attempt(encoding.decode, z[2:-4], "deflate"), attempt(encoding.decode, z[:10], "deflate"), attempt(encoding.decode, gzip.compress(b"cat"), "gzip"), attempt(encoding.decode, gzip.compress(b"a") + gzip.compress(b"b"), "gzip"), attempt(encoding.decode, gzip.compress(b"cat" * 100)[:-9], "gzip"))
    print(attempt(encoding.decode_gzip, gzip.compress(b"x")), attempt(encoding.decode_deflate, zlib.compress(b"x")), attempt(lambda: encoding.decode_gzip(encoding.encode_gzip(b"x"))), attempt(lambda: encoding.decode_deflate(encoding.encode_deflate(b"x"))), attempt(encoding.identity, b"x"), attempt(encoding.decode_gzip, b""), attempt(encoding.decode_deflate, b""), attempt(encoding.decode_brotli, b""), attempt(encoding.decode_zstd, b""))


def response(flow):
    ce = flow.response.headers.get("content-encoding")
    if ce and flow.response.raw_content is not None:
        print(ce, attempt(encoding.decode, flow.response.raw_content, ce), attempt(encoding.decode, flow.response.raw_content, ce.lower()))
