# The old name of load.
def start():
    print("start")

def response(flow):
    print("response")
