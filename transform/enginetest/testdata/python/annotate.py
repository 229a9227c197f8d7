# Marks, comments and keeps values of several types.
def response(flow):
    flow.marked = ":grapes:"
    flow.comment = "a comment"
    flow.metadata["n"] = 7
    flow.metadata["list"] = [1, "two", None, True]
    flow.metadata["map"] = {"k": 1.5}
