"""Whether several processes may run a script, each for a part of the flows: by its text alone.

The answer is yes only for what provably keeps nothing from one flow to the next: functions at the
top level, constants that nobody changes, and modules that are known to keep nothing. Whatever is not
understood makes it no. What a script asserts of itself (`# flowkit: parallel`) is not asked here.
"""
import ast
import builtins

from . import sequence

# Modules that keep nothing that a script could find again.
_MODULES = frozenset([
    "__future__", "base64", "binascii", "collections", "collections.abc", "copy", "difflib", "fractions",
    "hashlib", "hmac", "html", "ipaddress", "itertools", "json", "math", "operator", "quopri", "re", "string",
    "struct", "textwrap", "typing", "unicodedata", "urllib.parse", "zlib",
    "mitmproxy.connection", "mitmproxy.coretypes.multidict", "mitmproxy.dns", "mitmproxy.exceptions",
    "mitmproxy.flow", "mitmproxy.flowfilter", "mitmproxy.http", "mitmproxy.net.encoding",
    "mitmproxy.net.http.cookies", "mitmproxy.net.http.headers", "mitmproxy.net.http.multipart",
    "mitmproxy.net.http.status_codes", "mitmproxy.net.http.url", "mitmproxy.tcp", "mitmproxy.udp",
    "mitmproxy.utils.strutils", "mitmproxy.websocket",
])
# Functions that see no more than their arguments.
_BUILTINS = frozenset(
    "abs all any ascii bin bool bytearray bytes chr dict divmod enumerate filter float format frozenset hex int"
    " isinstance iter len list map max min next oct ord pow range repr reversed round set slice sorted str sum tuple"
    " zip NotImplemented Ellipsis".split()
)
# Those that hand no part of their arguments on that could be changed, if what these hold cannot.
_READERS = frozenset(
    "all any bool dict enumerate frozenset isinstance iter len list map max min repr reversed set sorted str sum"
    " tuple zip filter".split()
)
# Methods that change nothing.
_READS = frozenset(
    "casefold count decode difference encode endswith find format get index intersection isdisjoint issubset issuperset"
    " items join keys lower lstrip partition replace rfind rpartition rsplit rstrip split splitlines startswith strip"
    " title union upper values".split()
)
_CHANGES = frozenset(
    "add append clear discard extend insert pop popitem purge remove reverse setdefault sort update write".split()
)
# What makes a constant of constants, at the top level.
_MAKERS = frozenset([
    "bytes", "float", "frozenset", "int", "len", "str", "tuple", "re.compile", "re.escape", "bytes.fromhex",
    "str.maketrans", "struct.Struct", "flowfilter.parse", "mitmproxy.flowfilter.parse", "ipaddress.ip_address",
    "ipaddress.ip_network",
])
_COLLECTORS = frozenset(["dict", "list", "set"])
# What flows share is their connections; this of them cannot be changed in place.
_OF_CONNECTIONS = frozenset(
    "address alpn cipher connected error id ip_address peername sni sockname source_address state timestamp_end"
    " timestamp_start timestamp_tcp_setup timestamp_tls_setup tls tls_established tls_version transport_protocol"
    " via".split()
)
_ONCE = frozenset(
    "add_log client_connected client_disconnected clientconnect clientdisconnect configure done load log next_layer"
    " running server_connect server_connected server_disconnected serverconnect serverdisconnect start tick"
    " update".split()
)
_HOOKS = frozenset(h for kind in sequence.HOOKS for h in kind)

_FIXED, _COLLECTION = "fixed", "collection"
_SCOPES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_UNSEEN = frozenset(["annotation", "returns", "type_comment", "type_params"])


def verdict(source):
    """Return "" if nothing of a script is kept from one flow to the next, else why that is not certain."""
    try:
        found = _Module(ast.parse(source)).found
    except (SyntaxError, ValueError, RecursionError):
        return "it cannot be read"
    if not found:
        return ""
    # An import tells least about a state.
    return "line %d: %s" % min(found, key=lambda f: (f[1].startswith("it imports"), f[0]))


class _Module:
    """One script; `found` is what speaks against it: (line, text)."""

    def __init__(self, tree):
        self.found = []
        self.parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        self.modules = set()  # dotted names that were imported by them
        self.imported = set()  # names that imports bind
        self.functions = set()
        self.values = {}  # names that are assigned: fixed, or a collection of what is
        for node in ast.walk(tree):
            self._import(node)
        for node in tree.body:
            self._top(node)
        for name in self.imported | self.functions:
            if name in self.values or name in self.imported & self.functions:
                self.found.append((1, "%s has two meanings" % name))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                self._function(node)

    def no(self, node, text, *args):
        self.found.append((node.lineno, text % args))

    # The top level.

    def _import(self, node):
        if isinstance(node, ast.Import):
            for a in node.names:
                if a.name not in _MODULES:
                    self.no(node, "it imports %s", a.name)
                self.imported.add(a.asname or a.name.partition(".")[0])
                if not a.asname:
                    self.modules.add(a.name)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for a in node.names:
                name = module + a.name if module.endswith(".") else module + "." + a.name
                if a.name == "*" or (module not in _MODULES and name not in _MODULES):
                    self.no(node, "it imports %s", name)
                self.imported.add(a.asname or a.name)

    def _top(self, node):
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.Pass)):
            return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        if isinstance(node, ast.FunctionDef):
            self._signature(node)
        elif isinstance(node, ast.ClassDef):
            self.no(node, "class %s may keep a state", node.name)
        elif isinstance(node, ast.AsyncFunctionDef):
            self.no(node, "%s is async", node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            self._assign(node, node.targets if isinstance(node, ast.Assign) else [node.target])
        else:
            self.no(node, "it does something when it is loaded")

    def _assign(self, node, targets):
        for target in targets:
            if not isinstance(target, ast.Name):
                self.no(node, "it does something when it is loaded")
                continue
            kind = _FIXED if node.value is None else self._kind(node.value)
            if kind is None:
                self.no(node, "what %s holds may change", target.id)
            if self.values.get(target.id) != _COLLECTION:
                self.values[target.id] = kind or _COLLECTION

    def _kind(self, node):
        """Return what an expression at the top level makes: fixed, a collection of what is, or None."""
        if isinstance(node, ast.Constant):
            return _FIXED
        if isinstance(node, ast.Name):
            return self.values.get(node.id)
        if isinstance(node, (ast.UnaryOp, ast.BinOp)):
            operands = [node.operand] if isinstance(node, ast.UnaryOp) else [node.left, node.right]
            return self._all_fixed([o for o in operands if not self._flag(o)], _FIXED)
        if isinstance(node, ast.Tuple):
            return self._all_fixed(node.elts, _FIXED)
        if isinstance(node, (ast.List, ast.Set)):
            return self._all_fixed(node.elts, _COLLECTION)
        if isinstance(node, ast.Dict):
            return self._all_fixed(node.keys + node.values, _COLLECTION)
        if isinstance(node, ast.JoinedStr):
            values = [v.value for v in node.values if isinstance(v, ast.FormattedValue)]
            return self._all_fixed(values, _FIXED)
        if isinstance(node, ast.Call):
            return self._made(node)
        return None

    def _all_fixed(self, nodes, kind):
        return kind if all(n is not None and self._kind(n) == _FIXED for n in nodes) else None

    def _flag(self, node):
        """Tell whether an operand is something like re.IGNORECASE."""
        return isinstance(node, ast.Attribute) and _root(node) in self.imported and node.attr.isupper()

    def _made(self, call):
        args = [a for a in call.args if not self._flag(a)] + [k.value for k in call.keywords if not self._flag(k.value)]
        if not all(self._kind(a) for a in args):
            return None
        name = _dotted(call.func)
        ours = _root(call.func) in self.functions
        if name in _MAKERS and not ours:
            return _FIXED
        if name in _COLLECTORS and not ours:
            return _COLLECTION
        if isinstance(call.func, ast.Attribute) and call.func.attr in _READS and self._kind(call.func.value) == _FIXED:
            return _COLLECTION if "split" in call.func.attr else _FIXED
        return None

    def _signature(self, fn):
        self.functions.add(fn.name)
        a = fn.args
        if fn.decorator_list:
            self.no(fn.decorator_list[0], "%s has a decorator", fn.name)
        if fn.name in _ONCE:
            self.no(fn, "%s is not about one flow", fn.name)
        if fn.name in _HOOKS and (len(getattr(a, "posonlyargs", ()) or ()) + len(a.args) != 1 or a.vararg):
            self.no(fn, "%s takes more than a flow", fn.name)
        for default in a.defaults + [d for d in a.kw_defaults if d is not None]:
            if self._kind(default) != _FIXED:
                self.no(default, "a default of %s may change", fn.name)

    # Functions.

    def _function(self, fn):
        own, inner = _bound(fn)
        for name in inner - own:
            if name in self.imported or name in self.functions or name in self.values or not _free(name):
                self.no(fn, "%s has two meanings in %s", name, fn.name)
        local = own | inner
        for node in _walk(fn.body):
            if isinstance(node, (ast.Global, ast.Nonlocal)):
                self.no(node, "%s is global", ", ".join(node.names))
            elif isinstance(node, ast.ClassDef):
                self.no(node, "class %s may keep a state", node.name)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.no(node, "%s is a function within a function", node.name)
            elif isinstance(node, (ast.Attribute, ast.Subscript)):
                self._place(node, local)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in local:
                self._name(node)

    def _place(self, node, local):
        root = _root(node)
        if not isinstance(node.ctx, ast.Load) and root is not None and root not in local:
            self.no(node, "%s is changed", root)
        if not isinstance(node, ast.Attribute):
            return
        if node.attr.startswith("__"):
            self.no(node, "it uses %s", node.attr)
        elif node.attr in ("client_conn", "server_conn"):
            self._connection(node)

    def _connection(self, node):
        parent = self.parents[node]
        if isinstance(parent, (ast.Compare, ast.If)):
            return
        top = node
        while isinstance(self.parents[top], (ast.Attribute, ast.Subscript)) and self.parents[top].value is top:
            top = self.parents[top]
        if not isinstance(parent, ast.Attribute) or parent.attr not in _OF_CONNECTIONS or not isinstance(top.ctx, ast.Load):
            self.no(node, "flows share what is kept in %s", node.attr)

    def _name(self, node):
        name = node.id
        if name in self.imported:
            self._use_of_module(node)
        elif name in self.functions:
            if not self._called(node) and not self._streams(node):
                self.no(node, "%s is used as a value", name)
        elif name in self.values:
            if self.values[name] == _COLLECTION and not self._only_read(node):
                self.no(node, "%s is changed or handed on", name)
        elif not _harmless(name):
            self.no(node, "it uses %s", name)

    def _use_of_module(self, node):
        top = node
        while isinstance(self.parents[top], ast.Attribute):
            top = self.parents[top]
        if not isinstance(top, ast.Name) and not isinstance(top.ctx, ast.Load):
            return  # is changed, which is said
        dotted = _dotted(top)
        prefixed = [m for m in self.modules if "." in m and m.partition(".")[0] == node.id]
        if prefixed and node.id not in self.modules and not any(dotted.startswith(m + ".") for m in prefixed):
            self.no(node, "it uses %s", dotted)
        parent = self.parents[top]
        if isinstance(top, ast.Attribute) and top.attr in _CHANGES:
            self.no(node, "it uses %s", dotted)
        elif isinstance(parent, ast.Tuple):
            parent = self.parents[parent]
            if not isinstance(parent, ast.ExceptHandler) and _dotted(getattr(parent, "func", None)) != "isinstance":
                self.no(node, "%s is used as a value", dotted)
        elif not self._called(top) and not isinstance(
            parent,
            (ast.BinOp, ast.Compare, ast.ExceptHandler, ast.For, ast.comprehension, ast.FormattedValue, ast.Raise, ast.Subscript),
        ):
            self.no(node, "%s is used as a value", dotted)

    def _called(self, node):
        """Tell whether node is what is called, or is given to a function of somebody else."""
        parent = self.parents[node]
        if isinstance(parent, ast.keyword):
            parent = self.parents[parent]
        if not isinstance(parent, ast.Call):
            return False
        return parent.func is node or _dotted(parent.func) not in self.functions

    def _streams(self, node):
        """Tell whether a function is set as what streams a body."""
        parent = self.parents[node]
        return isinstance(parent, ast.Assign) and all(
            isinstance(t, ast.Attribute) and t.attr == "stream" for t in parent.targets
        )

    def _only_read(self, node):
        parent = self.parents[node]
        if isinstance(parent, ast.Subscript):
            return parent.value is node and isinstance(parent.ctx, ast.Load)
        if isinstance(parent, ast.Attribute):
            call = self.parents[parent]
            return parent.attr in _READS and isinstance(call, ast.Call) and call.func is parent
        if isinstance(parent, ast.Call):
            if isinstance(parent.func, ast.Attribute):
                return parent.func.attr == "join"
            return _dotted(parent.func) in _READERS - self.functions
        if isinstance(parent, ast.UnaryOp):
            return isinstance(parent.op, ast.Not)
        if isinstance(parent, (ast.For, ast.comprehension)):
            return parent.iter is node
        if isinstance(parent, ast.If):
            return parent.test is node
        return isinstance(parent, (ast.Compare, ast.Starred, ast.FormattedValue))


def _free(name):
    """Tell whether a name of a script hides no builtin that would be worth a word."""
    return not hasattr(builtins, name) or _harmless(name)


def _harmless(name):
    """Tell whether a name that the script does not define is of a builtin that keeps nothing."""
    if name in _BUILTINS:
        return True
    value = getattr(builtins, name, None)
    return isinstance(value, type) and issubclass(value, BaseException) and value is not SystemExit


def _root(node):
    """Return the name that an attribute or element is of, None if it is of no name."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _dotted(node):
    """Return a name with its attributes as text, "" for anything else."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join(reversed(parts + [node.id]))


def _walk(nodes):
    """Yield nodes and all below them but annotations."""
    stack = list(nodes)
    while stack:
        node = stack.pop()
        yield node
        for name, value in ast.iter_fields(node):
            if name not in _UNSEEN:
                stack.extend(v for v in (value if isinstance(value, list) else [value]) if isinstance(v, ast.AST))


def _bound(fn):
    """Return the names that a function binds, and those that lambdas and comprehensions in it do."""
    own, inner = set(_parameters(fn.args)), set()
    # A name is a comprehension's if it is one of its targets; one set by := is the function's.
    targets = set()
    for node in _walk(fn.body):
        if isinstance(node, _SCOPES):
            if isinstance(node, ast.Lambda):
                inner.update(_parameters(node.args))
                continue
            for g in node.generators:
                targets.update(n for n in ast.walk(g.target) if isinstance(n, ast.Name))
    for node in _walk(fn.body):
        if isinstance(node, ast.Name):
            if node in targets:
                inner.add(node.id)
            elif not isinstance(node.ctx, ast.Load):
                own.add(node.id)
        else:
            # Handlers of exceptions, and patterns.
            for field in ("name", "rest"):
                name = getattr(node, field, None)
                if isinstance(name, str) and not isinstance(node, ast.alias):
                    own.add(name)
    return own, inner


def _parameters(args):
    all_ = list(getattr(args, "posonlyargs", ())) + args.args + args.kwonlyargs + [args.vararg, args.kwarg]
    return [a.arg for a in all_ if a is not None]
