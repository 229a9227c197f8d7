"""Prints what each case gives, a line each, for a comparison of two mitmproxys."""


def main(cases):
    for name, call in cases():
        try:
            result = repr(call())
        except Exception as e:
            result = "%s: %s" % (type(e).__name__, e)
        print("%s\t%s" % (name, result.encode("unicode_escape").decode()), flush=True)
