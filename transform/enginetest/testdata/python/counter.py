# Numbers the flows.
n = 0


def response(flow):
    global n
    n += 1
    flow.comment = "number %d" % n
