"""Expressions of the workflow file, of the few forms that it has, and what they come to."""

import re
from collections.abc import Mapping
from typing import Any

# How the `if` of a step begins that is done where one before it failed.
FAILED = "failure() && "
_EXPRESSION = re.compile(
    r"\$\{\{ (?:fromJSON\()?([\w.-]+)\)?(?: && '([^']*)')?(?: \|\| ([\w.-]+))?"
    r"(?: \|\| '([^']*)')? \}\}"
)

# What expressions see: contexts by name, each a mapping, at whose ends are texts or booleans.
Scope = Mapping[str, Any]


def filled(text: str, scope: Scope) -> str:
    """The text with the value of each expression in its place; what is not there is empty."""

    def value(found: re.Match[str]) -> str:
        first = _value(found[1], scope)
        if first and found[2] is not None:
            first = found[2]
        return first or (_value(found[3], scope) if found[3] else "") or found[4] or ""

    return _EXPRESSION.sub(value, text)


def _value(path: str, scope: Scope) -> str:
    found: Any = scope
    for name in path.split("."):
        found = found.get(name, {})
    return str(found).lower() if isinstance(found, bool) else found or ""


def holds(condition: str, scope: Scope) -> bool:
    """An `if`: one text equals another, or does not, without regard to case; none holds always."""
    path, sign, text = condition.partition(" != " if " != " in condition else " == ")
    equal = _value(path, scope).casefold() == text.strip("'").casefold()
    return not path or equal is (sign == " == ")
