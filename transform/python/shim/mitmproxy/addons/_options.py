"""What addons with options have in common."""
import logging
import typing

from mitmproxy import exceptions, flowfilter

Sequence = typing.Sequence[str]
OptionalStr = typing.Optional[str]

logger = logging.getLogger("mitmproxy.addons")


def parse_filter(expression):
    """The filter of an option, None for an empty one. A wrong one raises OptionsError."""
    if not expression:
        return None
    try:
        return flowfilter.parse(expression)
    except ValueError as e:
        raise exceptions.OptionsError(str(e)) from e


def parse_all(name, specs, parse):
    """The specifications of an option. A wrong one raises OptionsError."""
    parsed = []
    for spec in specs:
        try:
            parsed.append(parse(spec))
        except ValueError as e:
            raise exceptions.OptionsError("Cannot parse %s option %s: %s" % (name, spec, e)) from e
    return parsed


def is_open(flow):
    """Whether a proxy has the flow in hand and nobody answered it yet."""
    return flow.live and not flow.error and not flow.response
