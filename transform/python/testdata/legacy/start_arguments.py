# 1.0
import argparse


class Replacer:
    def __init__(self, old, new):
        self.old, self.new = old, new
        self.started = 0
        self.count = 0

    def start(self):
        self.started += 1

    def response(self, flow):
        self.count += flow.response.replace(self.old, self.new)

    def done(self):
        parser = argparse.ArgumentParser()
        parser.add_argument("src")
        parser.add_argument("dst")
        assert parser.parse_args().dst == self.new


def start():
    parser = argparse.ArgumentParser()
    parser.add_argument("src", type=str)
    parser.add_argument("dst", type=str)
    args = parser.parse_args()
    return Replacer(args.src, args.dst)


def response(flow):
    raise AssertionError("the object takes the place of the script")
