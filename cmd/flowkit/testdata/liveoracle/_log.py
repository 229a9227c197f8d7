"""What the scripts of this folder saw: lines in the file $LIVE_LOG."""
import os

_file = open(os.environ["LIVE_LOG"], "a", buffering=1, encoding="utf-8")


def log(*words):
    _file.write(" ".join(str(w) for w in words) + "\n")
