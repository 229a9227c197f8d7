# Prints values of several types.
def response(flow):
    print("flow", flow.id, b"x", None)
