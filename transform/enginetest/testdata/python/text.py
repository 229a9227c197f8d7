# Appends text that is not ASCII.
def response(flow):
    flow.response.text += " \u00e9t\u00e9"
