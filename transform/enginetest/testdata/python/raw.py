# Compares the content with what was on the wire, which it then replaces.
def response(flow):
    r = flow.response
    flow.comment = "%d raw, %d decoded" % (len(r.raw_content), len(r.content))
    r.raw_content = b"raw"
