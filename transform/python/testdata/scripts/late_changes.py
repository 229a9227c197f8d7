"""Flows that have no response are written last: what done() does to them counts."""
kept = []


def request(flow):
    kept.append(flow)


def done():
    for flow in kept:
        flow.comment = "changed in done"
