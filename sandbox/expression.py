"""`${{ … }}` as GitHub evaluates it, as far as our workflow files use it; the rest is an error."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.expression_syntax import (
    STATUS_FUNCTIONS,
    Call,
    Context,
    Literal,
    Node,
    Not,
    Pair,
    Part,
    condition,
    inside,
    parts,
)
from sandbox.expression_value import as_text, call, part, same, truthy
from sandbox.workflow_error import WorkflowError


@dataclass(frozen=True, slots=True)
class Status:
    """What `success()`, `failure()` and `cancelled()` are at a place."""

    success: bool = True
    failure: bool = False
    cancelled: bool = False

    def __getitem__(self, function: str) -> bool:
        return function == "always" or bool(getattr(self, function))


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression can see where it stands."""

    contexts: Mapping[str, Any] = field(default_factory=dict)
    status: Status = Status()


def whole(text: object, scope: Scope) -> Any:
    """The value of a text that is one expression, with its type; any other text, filled in."""
    if not isinstance(text, str):
        return text
    match parts(text.strip()):
        case (node,) if not isinstance(node, str):
            return _value(node, scope)
        case _:
            return filled(text, scope)


def filled(text: str, scope: Scope) -> str:
    """`text` with each expression replaced by its value's text."""
    return "".join(
        one if isinstance(one, str) else as_text(_value(one, scope)) for one in parts(text)
    )


def holds(text: str, scope: Scope) -> bool:
    """An `if:`; where it asks for no status itself, `success()` is asked for before it."""
    node = condition(text)
    return (_asks_status(node) or scope.status.success) and truthy(_value(node, scope))


def _asks_status(node: Node) -> bool:
    return any(isinstance(one, Call) and one.function in STATUS_FUNCTIONS for one in inside(node))


def _value(node: Node, scope: Scope) -> Any:
    match node:
        case Literal():
            value = node.value
        case Context():
            value = _context(node.name, scope)
        case Part():
            value = part(_value(node.of, scope), _value(node.key, scope))
        case Not():
            value = not truthy(_value(node.value, scope))
        case Call() if node.function in STATUS_FUNCTIONS:
            value = scope.status[node.function]
        case Call():
            value = call(node.function, [_value(one, scope) for one in node.values])
        case Pair():
            value = _paired(node, scope)
    return value


def _context(name: str, scope: Scope) -> Any:
    if name not in scope.contexts:
        raise WorkflowError(f"the context `{name}` is not available here")
    return scope.contexts[name]


def _paired(node: Pair, scope: Scope) -> Any:
    one = _value(node.one, scope)
    match node.sign:
        case "||":
            return one if truthy(one) else _value(node.other, scope)
        case "&&":
            return _value(node.other, scope) if truthy(one) else one
        case sign:
            return same(one, _value(node.other, scope)) is (sign == "==")
