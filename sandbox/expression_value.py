"""The values of GitHub's expressions: what is true, what equals what, and the functions of them.

A number is a double, a text a text; what `fromJSON` gives are lists and mappings.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.workflow_error import WorkflowError

_PLACE = re.compile(r"\{\{|\}\}|\{(?P<number>\d+)\}|[{}]")


def as_text(value: Any) -> str:
    """The value as it is put into a text; GitHub has only these words for a list or a mapping."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return _number_text(float(value))
        case str():
            return value
        case Mapping():
            return "Object"
        case _:
            return "Array"


def _number_text(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    return str(int(value)) if value.is_integer() else f"{value:.15g}"


def truthy(value: Any) -> bool:
    return not (value is None or value is False or value in ("", 0) or value != value)  # noqa: PLR0124  (not a number: it is not even itself)


def same(one: Any, other: Any) -> bool:
    """Texts without regard to case; values of unlike types as numbers."""
    match one, other:
        case str(), str():
            return one.casefold() == other.casefold()
        case ((Mapping() | list()), _):
            return one is other
        case _, (Mapping() | list()):
            return False
        case _:
            return _number(one) == _number(other)


def _number(value: Any) -> float:
    match value:
        case None:
            return 0.0
        case str():
            try:
                return float(value.strip() or 0)
            except ValueError:
                return math.nan
        case _:
            return float(value)


def part(value: Any, key: Any) -> Any:
    """`value.key` or `value[key]`; what is not there is null. Names are found in any case."""
    match value, key:
        case Mapping(), str():
            if key in value:
                return value[key]
            folded = key.casefold()
            return next((it for name, it in value.items() if name.casefold() == folded), None)
        case list(), int() | float() if 0 <= key < len(value):
            return value[int(key)]
        case _:
            return None


def from_json(text: Any) -> Any:
    try:
        return json.loads(as_text(text))
    except ValueError as error:
        raise WorkflowError(f"fromJSON was given what is not JSON ({error})") from error


def to_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def formatted(pattern: Any, *values: Any) -> str:
    """``format('{0} of {1}', …)``; a brace is written twice."""

    def put(place: re.Match[str]) -> str:
        if place[0] in ("{{", "}}"):
            return place[0][0]
        if place["number"] is None or int(place["number"]) >= len(values):
            raise WorkflowError(f"format() has no value for `{place[0]}` in `{as_text(pattern)}`")
        return as_text(values[int(place["number"])])

    return _PLACE.sub(put, as_text(pattern))


def contains(where: Any, what: Any) -> bool:
    """A text in a text, or a value among those of a list."""
    if isinstance(where, list):
        return any(same(one, what) for one in where)
    return as_text(what).casefold() in as_text(where).casefold()


def starts_with(text: Any, start: Any) -> bool:
    return as_text(text).casefold().startswith(as_text(start).casefold())


def call(function: str, values: Sequence[Any]) -> Any:
    """One of `ARITIES`' functions, by its name in lower case."""
    match function:
        case "fromjson":
            return from_json(*values)
        case "tojson":
            return to_json(*values)
        case "format":
            return formatted(*values)
        case "contains":
            return contains(*values)
        case "startswith":
            return starts_with(*values)
        case _:
            raise WorkflowError(f"I don't know the function `{function}`")


# How many values each function takes, at least and at most; names in lower case.
ARITIES: Mapping[str, tuple[int, int]] = {
    "fromjson": (1, 1),
    "tojson": (1, 1),
    "format": (1, 255),
    "contains": (2, 2),
    "startswith": (2, 2),
}
