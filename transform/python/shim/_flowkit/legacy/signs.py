"""Which era a script is of, by its hooks and by what it does with headers."""
import ast
import inspect

from _flowkit import era as eras

# Hooks that had a context and one thing more up to 0.17.
WITH_CONTEXT = (
    "request", "responseheaders", "response", "error", "tcp_message", "clientconnect", "clientdisconnect",
    "serverconnect", "serverdisconnect", "next_layer",
)
# Hooks that 7.0 and later do not have.
GONE = (
    "clientconnect", "clientdisconnect", "serverconnect", "serverdisconnect", "websocket_handshake",
    "websockets_handshake", "websocket_error", "tick", "log",
)
# Hooks of 0.18 to 6.x.
EVENTS = frozenset((
    "start", "load", "configure", "running", "done", "tick", "log", "update", "add_log", "http_connect",
    "requestheaders", "request", "responseheaders", "response", "error", "tcp_start", "tcp_message", "tcp_error",
    "tcp_end", "websocket_start", "websocket_message", "websocket_end", "next_layer",
) + GONE)
# What 3.0 brought: a script that has it gets no start().
NEW = ("addons", "load")
_CONTEXTS = ("context", "ctx", "cntx", "c", "script_context")
_ENTRIES = ("entry", "l", "e", "le", "log_entry", "logentry", "event")


def era(module, source):
    names = vars(module)
    if _has_context(names):
        return "0.13" if has_lists(source) else "0.17"
    if is_old(module) or eras.uses(source):
        return "0.18"
    return "modern"


def plain(call):
    """Return the function that @concurrent was put on."""
    return getattr(call, "_flowkit_concurrent", call)


def parameters(call):
    """Return (names of parameters that must be given, how many can be) by place, self aside."""
    try:
        found = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return [], 99
    places = [p for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    most = 99 if any(p.kind == p.VAR_POSITIONAL for p in found) else len(places)
    return [p.name for p in places if p.default is p.empty], most


def _function(names, name):
    found = plain(names.get(name))
    return found if inspect.isfunction(found) else None


def _has_context(names):
    for name in WITH_CONTEXT:
        hook = _function(names, name)
        if hook is not None and len(parameters(hook)[0]) == 2:
            return True
    done, start = _function(names, "done"), _function(names, "start")
    if done is not None and len(parameters(done)[0]) == 1:
        return True
    if start is not None and not any(name in names for name in NEW):
        needed = parameters(start)[0]
        return len(needed) == 2 or len(needed) == 1 and needed[0].strip("_") in _CONTEXTS
    return False


def starts(module):
    """Tell whether a module's start() is a hook."""
    start = _function(vars(module), "start")
    return start is not None and not any(name in vars(module) for name in NEW)


def is_old(addon):
    """Tell whether an addon, or one that belongs to it, has a hook of 0.18 to 6.x."""
    if inspect.ismodule(addon) and starts(addon):
        return True
    configure = getattr(addon, "configure", None)
    if inspect.isroutine(configure) and len(parameters(configure)[0]) == 2:
        return True
    if any(is_hook(addon, name) for name in GONE):
        return True
    return any(is_old(a) for a in _addons(addon))


def is_hook(addon, name):
    """Tell whether what an addon has of a name that is gone is a hook, not a function so called."""
    found = plain(getattr(addon, name, None))
    if not inspect.isroutine(found):
        return False
    needed = parameters(found)[0]
    if name == "tick":
        return not needed
    if name == "log":
        # Many a script has a function log() of its own.
        return len(needed) == 1 and needed[0] in _ENTRIES
    return True


def _addons(addon):
    found = getattr(addon, "addons", ())
    return found if isinstance(found, (list, tuple)) else ()


def has_lists(source):
    """Tell whether a script with a context takes headers for lists, as up to 0.13."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    score = _Lists()
    score.visit(tree)
    return score.total > 0 or score.total == 0 and score.loose


class _Lists(ast.NodeVisitor):
    """Adds up what speaks for lists and, below zero, for texts."""

    def __init__(self):
        self.total = 0
        self.loose = False  # a header is looked up that may not be there

    def visit_ImportFrom(self, node):
        module = node.module or ""
        names = [alias.name for alias in node.names]
        if module == "libmproxy.models" or module.split(".")[0] == "mitmproxy" or "Headers" in names:
            self.total -= 3
        elif module in ("libmproxy.protocol.http", "libmproxy.protocol", "libmproxy.flow") and "FlowWriter" not in names:
            self.total += 3
        elif "ODictCaseless" in names:
            self.total += 3

    def visit_Assign(self, node):
        if any(_is_header(target) for target in node.targets):
            self.total += 3 if _is_list(node.value) else -2
        self.generic_visit(node)

    def visit_Subscript(self, node):
        if _is_header(node.value) and isinstance(_index(node), int):
            self.total += 2
        self.generic_visit(node)

    def visit_Call(self, node):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if name in ("get_first", "in_any"):
            self.total += 3
        elif name in ("pretty_host", "pretty_url", "update_host_header", "match_re"):
            self.total += 1
        elif name == "get" and _is_headers(node.func.value) and len(node.args) == 2:
            default = node.args[1]
            self.total += 2 if _is_list(default) else -2 if isinstance(_value(default), str) else 0
        elif name in ("get_all", "set_all"):
            self.total -= 3
        for inner in ast.iter_child_nodes(node.func if name in ("pretty_host", "pretty_url") else node):
            self.visit(inner)
        if name in ("pretty_host", "pretty_url"):
            for inner in node.args:
                self.visit(inner)

    def visit_Attribute(self, node):
        if node.attr in ("status_code", "reason", "http_version", "pretty_host", "pretty_url"):
            self.total -= 1
        elif node.attr in ("code", "msg", "httpversion"):
            self.total += 1
        elif _is_header(node.value):
            self.total += 2 if node.attr in ("append", "extend", "insert") else -2
        self.generic_visit(node)

    def visit_Compare(self, node):
        sides = [node.left] + node.comparators
        if any(_is_header(side) for side in sides):
            if any(_is_list(side) for side in sides) and not any(isinstance(op, (ast.In, ast.NotIn)) for op in node.ops):
                self.total += 3
            elif isinstance(node.ops[0], (ast.In, ast.NotIn)) and _is_header(sides[1]):
                self.loose = True
        self.generic_visit(node)


def _is_headers(node):
    return isinstance(node, ast.Attribute) and node.attr == "headers" or isinstance(node, ast.Name) and node.id == "headers"


def _is_header(node):
    """Tell whether a node is headers["name"]."""
    return isinstance(node, ast.Subscript) and _is_headers(node.value)


def _is_list(node):
    return isinstance(node, (ast.List, ast.ListComp, ast.Tuple))


def _value(node):
    return getattr(node, "value", None)


def _index(node):
    """Return the constant in the brackets of a subscript."""
    inner = node.slice
    return _value(getattr(inner, "value", inner) if type(inner).__name__ == "Index" else inner)
