# 0.12: chunks are triples.
def upper(chunks):
    for prefix, content, suffix in chunks:
        yield prefix, content.replace("foo", "bar"), suffix


def responseheaders(context, flow):
    if flow.response.headers["content-type"] == ["text/html"]:
        flow.response.stream = upper
