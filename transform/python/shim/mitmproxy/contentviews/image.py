"""What images say of themselves: PNG, GIF, JPEG and ICO; of others the kind."""
from __future__ import annotations

from struct import unpack_from

from mitmproxy.contentviews import base

_PNG = b"\x89PNG\r\n\x1a\n"

# The tags of TIFF and Exif that hold text or a few bytes, in the first directory.
_EXIF = {
    0x10E: "image_description", 0x10F: "make", 0x110: "model", 0x11A: "x_resolution", 0x11B: "y_resolution",
    0x131: "software", 0x132: "date_time", 0x13B: "artist", 0x13C: "host_computer", 0x13E: "white_point",
    0x13F: "primary_chromaticities", 0x211: "y_cb_cr_coefficients", 0x214: "reference_black_white",
    0x8298: "copyright", 0x9C9B: "xp_title", 0x9C9C: "xp_comment", 0x9C9D: "xp_author",
    0x9C9E: "xp_keywords", 0x9C9F: "xp_subject",
}
_EXIF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}


def parse_png(data):
    if data[12:16] != b"IHDR":
        raise ValueError("the first chunk is no IHDR")
    parts = [("Format", "Portable network graphics"), ("Size", "%d x %d px" % unpack_from(">II", data, 16))]
    at = 33
    while at < len(data):
        size, kind = unpack_from(">I4s", data, at)
        body = data[at + 8:at + 8 + size]
        if len(data) < at + 12 + size:
            raise ValueError("a chunk ends early")
        at += 12 + size
        if kind == b"gAMA":
            parts.append(("gamma", str(unpack_from(">I", body)[0] / 100000)))
        elif kind == b"pHYs":
            parts.append(("aspect", "%d x %d" % unpack_from(">II", body)))
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            parts.append(_png_text(kind, body))
        elif kind == b"IEND":
            break
    return parts


def _png_text(kind, body):
    keyword, _, rest = body.partition(b"\0")
    if kind == b"tEXt":
        return keyword.decode("latin-1"), rest.decode("latin-1")
    if kind == b"zTXt":
        import zlib

        return keyword.decode("utf-8"), zlib.decompress(rest[1:]).decode("latin-1")
    _, _, rest = rest[2:].partition(b"\0")  # the language
    _, _, text = rest.partition(b"\0")  # the keyword in that language
    return keyword.decode("utf-8"), text.decode("utf-8")


def parse_gif(data):
    width, height, flags, background = unpack_from("<HHBB", data, 6)
    parts = [
        ("Format", "Compuserve GIF"),
        ("Version", "GIF" + data[3:6].decode("ascii")),
        ("Size", "%d x %d px" % (width, height)),
        ("background", str(background)),
    ]
    at = 13 + _colors(flags)
    while at < len(data) and data[at] != 0x3B:
        kind, label = data[at], data[at + 1]
        if kind == 0x21:
            blocks, at = _gif_blocks(data, at + 2)
            if label == 0xFE:
                parts.extend(("comment", str(block)) for block in blocks)
        elif kind == 0x2C:
            _, at = _gif_blocks(data, at + 11 + _colors(data[at + 9]))
        else:
            raise ValueError("a block of a kind that there is not")
    return parts


def _colors(flags):
    """The size of a table of colours."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _gif_blocks(data, at):
    blocks = []
    while data[at]:
        blocks.append(data[at + 1:at + 1 + data[at]])
        at += 1 + data[at]
    return blocks, at + 1


def parse_jpeg(data):
    parts = [("Format", "JPEG (ISO 10918)")]
    at = 0
    while at < len(data):
        magic, marker = data[at], data[at + 1]
        if magic != 0xFF:
            raise ValueError("a segment does not begin with 0xff")
        at += 2
        if marker in (0xD8, 0xD9):
            continue
        size = unpack_from(">H", data, at)[0]
        body = data[at + 2:at + size]
        if len(data) < at + size:
            raise ValueError("a segment ends early")
        at += size
        if marker == 0xC0:
            height, width = unpack_from(">HH", body, 1)
            parts.append(("Size", "%d x %d px" % (width, height)))
        elif marker == 0xE0:
            major, minor, unit, x, y = unpack_from(">BBBHH", body, 5)
            parts += [("jfif_version", str((major, minor))), ("jfif_density", str((x, y))), ("jfif_unit", str(unit))]
        elif marker == 0xFE:
            parts.append(("comment", str(body)))
        elif marker == 0xE1 and body.startswith(b"Exif\0"):
            parts += _exif(body[6:])
        elif marker == 0xDA:
            break  # the image itself
    return parts


def _exif(data):
    """The fields of the first directory whose values lie elsewhere in data."""
    order = {b"II": "<", b"MM": ">"}[data[:2]]
    at = unpack_from(order + "I", data, 4)[0]
    parts = []
    for i in range(unpack_from(order + "H", data, at)[0]):
        tag, kind, count, place = unpack_from(order + "HHII", data, at + 2 + 12 * i)
        size = _EXIF_SIZES.get(kind, 0) * count
        if size > 4 and tag in _EXIF:
            parts.append((_EXIF[tag], data[place:place + size].decode("utf-8").strip("\0")))
    return parts


def parse_ico(data):
    count = unpack_from("<H", data, 4)[0]
    parts = [("Format", "ICO"), ("Number of images", str(count))]
    for i in range(count):
        width, height, _, _, _, bits, size, place = unpack_from("<BBBBHHII", data, 6 + 16 * i)
        if len(data) < place + size:
            raise ValueError("an image ends early")
        is_png = data[place:place + 8] == _PNG
        lines = ("Size: %d x %d" % (width or 256, height or 256), "Bits per pixel: %d" % bits, "PNG: %s" % is_png)
        parts.append(("Image %d" % (i + 1), ("\n" + 18 * " ").join(lines)))
    return parts


_PARSERS = {"png": parse_png, "gif": parse_gif, "jpeg": parse_jpeg, "ico": parse_ico}


def _kind(h):
    """The kind of an image, None for what is none."""
    if h[6:10] in (b"JFIF", b"Exif") or h[:4] == b"\xff\xd8\xff\xdb":
        return "jpeg"
    for start, kind in (
        (_PNG, "png"), (b"GIF87a", "gif"), (b"GIF89a", "gif"), (b"MM", "tiff"), (b"II", "tiff"), (b"\x01\xda", "rgb"),
        (b"\x59\xa6\x6a\x95", "rast"), (b"#define ", "xbm"), (b"BM", "bmp"), (b"\x76\x2f\x31\x01", "exr"), (b"\0\0\x01\0", "ico"),
    ):
        if h.startswith(start):
            return kind
    if h.startswith(b"RIFF") and h[8:12] == b"WEBP":
        return "webp"
    if len(h) >= 3 and h[:1] == b"P" and h[2:3] in (b" ", b"\t", b"\n", b"\r"):
        return {b"1": "pbm", b"4": "pbm", b"2": "pgm", b"5": "pgm", b"3": "ppm", b"6": "ppm"}.get(h[1:2])
    return None


class ViewImage(base.View):
    name = "Image"
    syntax_highlight = "yaml"

    def __call__(self, data, **metadata):
        kind, pairs = self._look(data)
        first = {}
        for key, value in pairs:
            first.setdefault(key, value)
        return "%s Image" % (kind.upper() if kind else "Unknown"), base.format_dict(first)

    def prettify(self, data, metadata):
        from mitmproxy.contentviews import _utils

        return _utils.yaml_dumps(_utils.merge_repeated_keys(self._look(data)[1]))

    def _look(self, data):
        from struct import error

        kind = _kind(data)
        if kind not in _PARSERS:
            return kind, [("Image Format", kind or "unknown")]
        try:
            return kind, _PARSERS[kind](data)
        except (error, IndexError, KeyError) as e:
            raise ValueError("the image is broken: %s" % e) from None

    def render_priority(self, data, *, content_type=None, **metadata):
        return float(bool(content_type and content_type.startswith("image/") and content_type != "image/svg+xml"))
