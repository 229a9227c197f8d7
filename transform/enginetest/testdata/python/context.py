# Hooks as they were up to mitmproxy 0.17.
def start(context, argv):
    print(argv[0])

def response(context, flow):
    context.log("seen")
    flow.comment = "seen with a context"
