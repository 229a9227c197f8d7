# Fails when it is loaded.
def load(loader):
    raise RuntimeError("not today")

def response(flow):
    print("response")

def done():
    print("done")
