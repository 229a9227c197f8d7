"""Output of a script: print, sys.stdout, bytes, stderr, no newline, much of it."""
import os
import sys

from _show import name


def load(loader):
    print("load", end=" ")
    print("caf\u00e9", "\u732b", 1, None, sep="|")
    sys.stdout.write("written\n")
    print("to stderr", file=sys.stderr)


def response(flow):
    print(name(flow), flush=True)
    sys.stdout.write("no newline ")
    sys.stdout.flush()
    sys.stdout.buffer.write(b"bytes \xc3\xa9\n")
    sys.stdout.buffer.flush()
    os.write(1, b"from the descriptor\n")
    print(sys.stdin.closed, sys.stdout.isatty(), sys.stdout.encoding)


def tcp_message(flow):
    print("x" * 3000)


def done():
    print("done without newline", end="")
