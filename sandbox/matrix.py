"""A strategy's matrix: which jobs one key becomes, and what they are called."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from sandbox.expression import Scope, whole
from sandbox.expression_value import as_text
from sandbox.workflow_error import WorkflowError

MOST = 256

Entry = Mapping[str, Any]


def entries(matrix: object, scope: Scope) -> list[Entry]:
    """One entry a job, in GitHub's order; WorkflowError where there is none, or over 256."""
    known = _evaluated(matrix, scope)
    if not isinstance(known, Mapping):
        raise WorkflowError("a matrix must be a mapping")
    lists = {str(name): _list(name, values) for name, values in known.items()}
    included = lists.pop("include", [])
    if not all(isinstance(one, Mapping) for one in included):
        raise WorkflowError("each entry of a matrix's `include` must be a mapping")
    crossed = [dict(zip(lists, row, strict=True)) for row in product(*lists.values())]
    found = _with(crossed if lists else [], included, frozenset(lists))
    if not found:
        raise WorkflowError("Matrix must define at least one vector")
    if len(found) > MOST:
        raise WorkflowError(
            f"The matrix has {len(found)} entries, which exceeds the maximum of {MOST}"
        )
    return found


def _evaluated(value: object, scope: Scope) -> Any:
    match value:
        case dict():
            return {name: _evaluated(inner, scope) for name, inner in value.items()}
        case list():
            return [_evaluated(inner, scope) for inner in value]
        case _:
            return whole(value, scope)


def _list(name: object, values: object) -> list[Any]:
    if not isinstance(values, list):
        raise WorkflowError(f"a matrix's `{name}` must be a list")
    return values


def _with(
    crossed: Sequence[dict[str, Any]], included: Sequence[Entry], original: frozenset[str]
) -> list[Entry]:
    """Each of `include` adds to those it contradicts in nothing original, or is one of its own."""
    found = [dict(entry) for entry in crossed]
    own: list[Entry] = []
    for extra in included:
        fitting = [
            entry
            for entry, was in zip(found, crossed, strict=True)
            if all(extra.get(name, was[name]) == was[name] for name in original)
        ]
        for entry in fitting:
            entry.update(extra)
        if not fitting:
            own.append(dict(extra))
    return [*found, *own]


def name_of(key: str, entry: Entry) -> str:
    """What a job without a `name` is called."""
    values = ", ".join(as_text(value) for value in entry.values())
    return f"{key} ({values})" if values else key
