# Takes the content into memory.
def response(flow):
    flow.comment = str(len(flow.response.content))
