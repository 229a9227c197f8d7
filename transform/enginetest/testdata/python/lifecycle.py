# Prints the hooks of a run, and request.
def load(loader):
    print("load")

def configure(updated):
    print("configure")

def running():
    print("running")

def request(flow):
    print("request")

def done():
    print("done")
