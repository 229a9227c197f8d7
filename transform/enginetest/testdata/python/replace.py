# Replaces a word in the content, if there is any.
def response(flow):
    if flow.response.content:
        flow.response.content = flow.response.content.replace(b"cat", b"dog")
