"""Names for numbers, the way of DNS: what has no name is KIND(number)."""
from __future__ import annotations


def named(constants, kind):
    """Returns to_str and from_str for the numbers that are in constants, and the names."""
    strings = {}
    for name, number in constants.items():
        if name.isupper() and isinstance(number, int):
            strings[number] = name
    numbers = {name: number for number, name in strings.items()}

    def to_str(number):
        return strings.get(number) or "%s(%s)" % (kind, number)

    def from_str(text):
        if text in numbers:
            return numbers[text]
        if text.startswith(kind + "(") and text.endswith(")"):
            return int(text[len(kind) + 1 : -1])
        raise ValueError("%r is no %s" % (text, kind))

    return to_str, from_str, strings
