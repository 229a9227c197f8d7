"""Typed options that addons declare, read, set and are told about.

A type is bool, int, float, str, an Optional of one of them, or a Sequence of str, written with
`typing`, with `collections.abc` or as `str | None`.
"""

unset = object()

_IMMUTABLE = {bool, int, float, str, bytes, type(None)}
_NONE = type(None)

# Types of the preset options, which are written as text to keep `typing` out of the start.
_LAZY_TYPES = {
    "optional str": (str, True),
    "optional int": (int, True),
    "sequence of str": ("sequence", False),
}


def _resolve(text):
    """The typing object for one of _LAZY_TYPES."""
    import typing

    if text == "optional str":
        return typing.Optional[str]
    if text == "optional int":
        return typing.Optional[int]
    try:
        return _abc().Sequence[str]
    except TypeError:  # before 3.9
        return typing.Sequence[str]


def _is_union(typespec):
    # typing.Union is a class from 3.14 on and a special form before; `X | Y` has a class of its own.
    if type(typespec).__name__ in ("UnionType", "Union"):
        return True
    return str(getattr(typespec, "__origin__", "")) in (
        "typing.Union",
        "<class 'typing.Union'>",
    )


def _is_sequence(typespec):
    return getattr(typespec, "__origin__", None) is _abc().Sequence


def _abc():
    import collections.abc

    return collections.abc


def check_type(name, value, typespec):
    """Raises the TypeError that an option or attribute with a wrong value gets."""
    if type(typespec) is type:
        if isinstance(value, typespec) or (typespec is float and isinstance(value, int)):
            return
        raise _wrong(name, typespec, value)
    if type(typespec) is str and typespec in _LAZY_TYPES:
        if _is_lazy_value(value, *_LAZY_TYPES[typespec]):
            return
        typespec = _resolve(typespec)
    if _is_union(typespec):
        for one in typespec.__args__:
            try:
                check_type(name, value, one)
            except TypeError:
                continue
            return
        raise _wrong(name, typespec, value)
    if str(typespec).startswith("typing.Any"):
        return
    origin = getattr(typespec, "__origin__", None)
    if origin is tuple:
        _check_tuple(name, value, typespec)
    elif origin is not None and issubclass(origin, _abc().Sequence):
        _check_sequence(name, value, typespec)
    elif str(typespec).startswith("typing.IO"):
        if not hasattr(value, "read"):
            raise _wrong(name, typespec, value)
    elif not isinstance(value, typespec if origin is None else origin):
        raise _wrong(name, typespec, value)


def _is_lazy_value(value, kind, optional):
    if kind == "sequence":
        return type(value) in (list, tuple) and all(type(v) is str for v in value)
    return (optional and value is None) or isinstance(value, kind)


def _wrong(name, typespec, value):
    return TypeError("Expected %s for %s, but got %s." % (typespec, name, type(value)))


def _check_tuple(name, value, typespec):
    types = typespec.__args__
    if not isinstance(value, (tuple, list)) or len(types) != len(value):
        raise _wrong(name, typespec, value)
    for i, (one, item) in enumerate(zip(types, value)):
        check_type("%s[%d]" % (name, i), item, one)


def _check_sequence(name, value, typespec):
    if not isinstance(value, (tuple, list)):
        raise _wrong(name, typespec, value)
    for one in getattr(typespec, "__args__", ())[:1]:
        # A bare typing.List has a type variable here, which allows everything.
        if type(one).__name__ != "TypeVar":
            for item in value:
                check_type(name, item, one)


def type_name(typespec):
    """The name of a type in the overview of options."""
    kind, optional = _kind(typespec)
    if kind == "sequence":
        return "sequence of str"
    if kind is None:
        raise NotImplementedError
    return "optional " + kind.__name__ if optional else kind.__name__


def _kind(typespec):
    """(bool, int, float, str, "sequence" or None for others; whether None is allowed)."""
    optional = False
    if type(typespec) is str:
        return _LAZY_TYPES[typespec]
    if _is_union(typespec):
        others = [t for t in typespec.__args__ if t is not _NONE]
        optional = len(others) < len(typespec.__args__)
        if len(others) != 1:
            return None, optional
        typespec = others[0]
    if typespec in (bool, int, float, str):
        return typespec, optional
    if not hasattr(typespec, "__origin__"):
        return None, optional
    if typespec.__origin__ in (list, _abc().Sequence) and typespec.__args__[0] is str:
        return "sequence", optional
    return None, optional


def _copy(value):
    """What a reader may change without changing the option."""
    if type(value) in _IMMUTABLE:
        return value
    if type(value) is list and _IMMUTABLE.issuperset(map(type, value)):
        return list(value)
    import copy

    return copy.deepcopy(value)


class _Option:
    """One option: its declaration and its value."""

    __slots__ = ("name", "_typespec", "value", "_default", "choices", "help")

    def __init__(self, name, typespec, default, help, choices):
        check_type(name, default, typespec)
        self._preset(name, typespec, default, _one_line(help), choices)

    def _preset(self, name, typespec, default, help, choices):
        self.name = name
        self._typespec = typespec
        self._default = default
        self.value = unset
        self.help = help
        self.choices = choices

    @property
    def typespec(self):
        if type(self._typespec) is str:
            self._typespec = _resolve(self._typespec)
        return self._typespec

    def __repr__(self):
        return "%s [%s]" % (self.current(), self.typespec)

    @property
    def default(self):
        return _copy(self._default)

    def current(self):
        value = self.value
        return _copy(self._default if value is unset else value)

    def set(self, value):
        check_type(self.name, value, self._typespec)
        self.value = value

    def reset(self):
        self.value = unset

    def has_changed(self):
        return self.current() != self.default

    def _fields(self):
        return [
            self.name,
            self.typespec,
            self._default,
            self.value,
            self.choices,
            self.help,
        ]

    def __eq__(self, other):
        if not isinstance(other, _Option):
            return NotImplemented
        return self._fields() == other._fields()

    __hash__ = None

    def __deepcopy__(self, _):
        new = _Option.__new__(_Option)
        new._preset(self.name, self._typespec, self._default, self.help, self.choices)
        # Not by copy.deepcopy: `unset` must stay the very object.
        new.value = unset if self.value is unset else _copy(self.value)
        return new


def _one_line(help):
    if "\n" not in help:
        return help.strip()
    import textwrap

    return textwrap.dedent(help).strip().replace("\n", " ")


class _UnconvertedStrings:
    """What was given for an option that nobody has declared yet."""

    def __init__(self, val):
        self.val = val

    def __eq__(self, other):
        return isinstance(other, _UnconvertedStrings) and self.val == other.val

    __hash__ = None

    def __repr__(self):
        return "_UnconvertedStrings(val=%r)" % (self.val,)


class Signal:
    """Functions to be called. They are held weakly, like the methods of objects.

    Both conventions that mitmproxy has had are served: a receiver that takes the sender as its
    first argument gets it, a receiver whose arguments are all named after the values does not.
    """

    def __init__(self, *names):
        self.names = names
        self._refs = []

    @property
    def receivers(self):
        return [r for r in [ref() for ref in self._refs] if r is not None]

    def connect(self, receiver, sender=None, weak=True):
        """Adds a receiver; returns it, so this can be used as a decorator."""
        self._refs.append(_reference(receiver) if weak else lambda: receiver)
        return receiver

    def disconnect(self, receiver, sender=None):
        self._refs = [r for r in self._refs if r() not in (None, receiver)]

    def send(self, sender, **values):
        for ref in list(self._refs):
            receiver = ref()
            if receiver is None:
                self._refs.remove(ref)
            elif _takes_sender(receiver, self.names):
                receiver(sender, **values)
            else:
                receiver(**values)


def _reference(function):
    """A weak reference; that of a bound method lasts as long as its object."""
    from _weakref import ref

    owner = getattr(function, "__self__", None)
    bound = getattr(function, "__func__", None)
    if owner is None or bound is None:
        return ref(function)
    owner = ref(owner)

    def method():
        obj = owner()
        return None if obj is None else bound.__get__(obj)

    return method


def _takes_sender(function, names):
    bound = getattr(function, "__self__", None) is not None
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    if code is None:
        function = getattr(type(function), "__call__", None)
        code = getattr(function, "__code__", None)
        bound = True
    if code is None:
        return True
    arguments = code.co_varnames[bound : code.co_argcount]
    if arguments:
        return arguments[0] not in names
    return bool(code.co_flags & 4)  # CO_VARARGS


class OptManager:
    """The options of a run.

    They are read and written as attributes. `changed` is sent with the set of changed names
    after each change; a receiver that raises OptionsError has the change undone, `errored` and then
    `changed` sent again.
    """

    def __init__(self):
        fields = self.__dict__
        fields["deferred"] = {}
        fields["changed"] = Signal("updated")
        fields["errored"] = Signal("exc")
        fields["_subscriptions"] = []
        fields["_options"] = {}

    def add_option(self, name, typespec, default, help, choices=None):
        """Declares an option, in place of an earlier one of that name."""
        self._options[name] = _Option(name, typespec, default, help, choices)
        self._announce({name})

    def rollback(self, updated, reraise=False):
        """A context in which an OptionsError undoes every change."""
        return _Rollback(self, updated, reraise)

    def subscribe(self, func, opts):
        """Has `func(options, updated)` called when one of the options changes.

        The function is held weakly.
        """
        from mitmproxy import exceptions

        for name in opts:
            if name not in self._options:
                raise exceptions.OptionsError("No such option: %s" % name)
        self._subscriptions.append((_reference(func), set(opts)))

    def _announce(self, updated):
        for one in list(self._subscriptions):
            func = one[0]()
            if func is None:
                self._subscriptions.remove(one)
            elif one[1] & updated:
                func(self, updated)
        self.changed.send(self, updated=updated)

    def __eq__(self, other):
        if isinstance(other, OptManager):
            return self._options == other._options
        return False

    __hash__ = None

    def __deepcopy__(self, memo):
        new = object.__new__(type(self))
        OptManager.__init__(new)
        for name, option in self._options.items():
            new._options[name] = option.__deepcopy__(memo)
        new.deferred.update(self.deferred)
        return new

    def __copy__(self):
        return self.__deepcopy__({})

    def __getattr__(self, name):
        # Not for the fields themselves: an object that is being unpickled has none yet.
        options = self.__dict__.get("_options", {})
        if name in options:
            return options[name].current()
        raise AttributeError("No such option: %s" % name)

    def __setattr__(self, name, value):
        if name in self.__dict__ and name not in self._options:
            self.__dict__[name] = value
        else:
            self.update(**{name: value})

    def keys(self):
        return set(self._options)

    def items(self):
        return self._options.items()

    def __contains__(self, name):
        return name in self._options

    def reset(self):
        """Gives all options their defaults."""
        for option in self._options.values():
            option.reset()
        self._announce(set(self._options))

    def update_known(self, **kwargs):
        """Sets what is declared, returns the rest."""
        known = {k: v for k, v in kwargs.items() if k in self._options}
        if known:
            updated = set(known)
            with self.rollback(updated, reraise=True):
                for name, value in known.items():
                    self._options[name].set(value)
                self._announce(updated)
        return {k: v for k, v in kwargs.items() if k not in known}

    def update_defer(self, **kwargs):
        """Sets what is declared, keeps the rest for when it is."""
        self.deferred.update(self.update_known(**kwargs))

    def update(self, **kwargs):
        """Sets options by name."""
        unknown = self.update_known(**kwargs)
        if unknown:
            raise KeyError("Unknown options: %s" % ", ".join(unknown))

    def setter(self, attr):
        """A function that sets an option."""
        if attr not in self._options:
            raise KeyError("No such option: %s" % attr)

        def set_option(value):
            setattr(self, attr, value)

        set_option.__name__ = attr
        return set_option

    def toggler(self, attr):
        """A function that inverts a bool option."""
        if attr not in self._options:
            raise KeyError("No such option: %s" % attr)
        if self._options[attr]._typespec is not bool:
            raise ValueError("Toggler can only be used with boolean options")

        def toggle():
            setattr(self, attr, not getattr(self, attr))

        toggle.__name__ = attr
        return toggle

    def default(self, option):
        return self._options[option].default

    def has_changed(self, option):
        return self._options[option].has_changed()

    def merge(self, opts):
        """Sets options from a dict: no None, and sequences are added to what is there."""
        values = {}
        for name, value in opts.items():
            if value is None:
                continue
            if name in self._options and _is_sequence(self._options[name].typespec):
                value = list(getattr(self, name)) + list(value)
            values[name] = value
        self.update(**values)

    def __repr__(self):
        shown = sorted(self._options.items())
        if len(shown) > 1:
            text = "{\n%s\n}" % ",\n".join("    %r: %r" % item for item in shown)
        else:
            text = repr(dict(shown))
        cls = type(self)
        return "%s.%s(%s)" % (cls.__module__, cls.__name__, text)

    def set(self, *specs, defer=False):
        """Sets options by texts such as "name=value"; an option that has no `=` is unset or true.

        With `defer`, unknown options wait for their declaration.
        """
        from mitmproxy import exceptions

        given = {}
        for spec in specs:
            name, equals, value = spec.partition("=")
            values = given.setdefault(name, [])
            if equals:
                values.append(value)
        parsed, unknown = {}, {}
        for name, values in given.items():
            if name in self._options:
                parsed[name] = self._parse_setval(self._options[name], values)
            else:
                unknown[name] = _UnconvertedStrings(values)
        if defer:
            self.deferred.update(unknown)
        elif unknown:
            raise exceptions.OptionsError("Unknown option(s): %s" % ", ".join(unknown))
        self.update(**parsed)

    def process_deferred(self):
        """Sets what was waiting for options that are declared now."""
        ready = {}
        for name, value in self.deferred.items():
            if name in self._options:
                if isinstance(value, _UnconvertedStrings):
                    value = self._parse_setval(self._options[name], value.val)
                ready[name] = value
        self.update(**ready)
        for name in ready:
            del self.deferred[name]

    def _parse_setval(self, o, values):
        """The value that texts mean for an option."""
        from mitmproxy import exceptions

        kind, optional = _kind(o._typespec)
        if kind == "sequence":
            return values
        if len(values) > 1:
            raise exceptions.OptionsError(
                "Received multiple values for %s: %s" % (o.name, values)
            )
        if kind is None:
            raise NotImplementedError("Unsupported option type: %s" % (o.typespec,))
        text = values[0] if values else None
        if kind is str:
            missing = text is None
        else:
            missing = not text
        if kind is bool:
            return _parse_bool(o, text, optional)
        if missing:
            if optional:
                return None
            raise exceptions.OptionsError("Option is required: %s" % o.name)
        try:
            return kind(text)
        except ValueError:
            what = "an integer" if kind is int else "a number"
            raise exceptions.OptionsError("Not %s: %s" % (what, text)) from None

    def make_parser(self, parser, optname, metavar=None, short=None):
        """Gives an argparse parser the flag of an option. Unknown options are left out."""
        if optname not in self._options:
            return
        _add_flag(parser, self._options[optname], metavar, short)


def _parse_bool(o, text, optional):
    if text == "" and optional:
        return None
    if not text or text == "true":
        return True
    if text == "false":
        return False
    if text == "toggle":
        return not o.current()
    from mitmproxy import exceptions

    raise exceptions.OptionsError(
        'Boolean must be "true", "false", or have the value omitted '
        '(a synonym for "true").'
    )


class _Rollback:
    def __init__(self, options, updated, reraise):
        self.options = options
        self.updated = updated
        self.reraise = reraise

    def __enter__(self):
        old = self.options._options
        self.old = {name: option.__deepcopy__({}) for name, option in old.items()}

    def __exit__(self, kind, exc, tb):
        if kind is None:
            return False
        from mitmproxy import exceptions

        if not issubclass(kind, exceptions.OptionsError):
            return False
        options = self.options
        options.errored.send(options, exc=exc)
        options._options = self.old
        options._announce(self.updated)
        return not self.reraise


def _add_flag(parser, o, metavar, short):
    def flags(name, letter):
        return ["--" + name] + (["-" + letter] if letter else [])

    name = o.name.replace("_", "-")
    kind, _ = _kind(o.typespec)
    common = {"dest": o.name, "default": None}
    if kind is bool:
        group = parser.add_mutually_exclusive_group(required=False)
        on, off = flags(name, None), flags("no-" + name, None)
        # The letter belongs to the flag that changes something.
        (off if o.default else on).extend(flags(name, short)[1:])
        group.add_argument(*off, action="store_false", dest=o.name)
        group.add_argument(*on, action="store_true", dest=o.name, help=o.help)
        parser.set_defaults(**{o.name: None})
    elif kind in (int, str):
        parser.add_argument(
            *flags(name, short),
            action="store",
            type=kind,
            help=o.help,
            metavar=metavar,
            choices=o.choices if kind is str else None,
            **common
        )
    elif kind == "sequence":
        parser.add_argument(
            *flags(name, short),
            action="append",
            type=str,
            help=o.help + " May be passed multiple times.",
            metavar=metavar,
            choices=o.choices,
            **common
        )
    else:
        raise ValueError("Unsupported option type: %s" % (o.typespec,))


def dump_dicts(opts, keys=None):
    """The options as {name: {type, default, value, help, choices}}."""
    found = {}
    for name in sorted(opts.keys() if keys is None else keys):
        o = opts._options[name]
        found[name] = {
            "type": type_name(o.typespec),
            "default": o.default,
            "value": o.current(),
            "help": o.help,
            "choices": o.choices,
        }
    return found


def dump_defaults(opts, out):
    """Writes a commented configuration file with the defaults."""
    import textwrap

    from mitmproxy import _yaml

    for name, o in sorted(opts.items()):
        if o.choices:
            note = " Valid values are %s." % ", ".join(repr(c) for c in o.choices)
        else:
            note = " Type %s." % type_name(o.typespec)
        lines = textwrap.wrap(o.help.strip().replace("\n", " ") + note)
        out.write("\n# %s\n" % "\n# ".join(lines))
        out.write(_yaml.dump({name: o.default}))


def parse(text):
    """The dict that a configuration file holds."""
    from mitmproxy import _yaml, exceptions

    if not text:
        return {}
    try:
        data = _yaml.load(text)
    except _yaml.Error as e:
        raise exceptions.OptionsError("Config error at line %d:\n%s" % e.args) from None
    except ValueError:
        raise exceptions.OptionsError("Could not parse options.") from None
    if isinstance(data, str):
        raise exceptions.OptionsError("Config error - no keys found.")
    return {} if data is None else data


def load(opts, text):
    """Sets options from the text of a configuration file; unknown ones are deferred."""
    opts.update_defer(**parse(text))


def load_paths(opts, *paths):
    """Sets options from the files among `paths` that exist.

    Scripts are looked for relative to the file that names them.
    """
    import os

    from mitmproxy import exceptions

    for path in paths:
        full = os.path.expanduser(str(path))
        if not os.path.isfile(full):
            continue
        try:
            data = parse(_read(full))
        except (exceptions.OptionsError, UnicodeDecodeError) as e:
            raise exceptions.OptionsError("Error reading %s: %s" % (full, e)) from None
        scripts = data.get("scripts")
        if scripts is not None:
            folder = os.path.dirname(os.path.abspath(full))
            data["scripts"] = [str(relative_path(s, relative_to=folder)) for s in scripts]
        opts.update_defer(**data)


def relative_path(script_path, *, relative_to):
    """The absolute path of a script that is named by a file in `relative_to`."""
    from pathlib import Path

    path = Path(script_path).expanduser()
    if not path.is_absolute():
        path = Path(relative_to) / path
    return path.absolute()


def _read(path):
    with open(path, encoding="utf8") as f:
        return f.read()


def serialize(opts, file, text, defaults=False):
    """Writes the options that have changed, or all of them, in place of those in `text`."""
    from mitmproxy import _yaml

    data = {k: v for k, v in parse(text).items() if k in opts}
    for name, option in opts.items():
        if defaults or option.has_changed():
            data[name] = option.current()
    file.write(_yaml.dump(data))


def save(opts, path, defaults=False):
    """Saves the options to a file, whose other contents stay."""
    import os

    from mitmproxy import exceptions

    full = os.path.expanduser(str(path))
    text = ""
    if os.path.isfile(full):
        try:
            text = _read(full)
        except UnicodeDecodeError as e:
            raise exceptions.OptionsError(
                "Error trying to modify %s: %s" % (full, e)
            ) from None
    parse(text)
    with open(full, "wt", encoding="utf8") as f:
        serialize(opts, f, text, defaults)
