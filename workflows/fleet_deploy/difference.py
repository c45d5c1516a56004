"""How a planned change differs from what this repository makes, attribute by attribute.

One that this repository does not set may be empty, stay as it is, or be left to AWS: a plan that
sets it is stopped.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workflows.fleet_deploy.change import Action, ResourceChange

_SHOWN = 80
Settings = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class KnownAfterApply:
    """A value that shows only at the apply where what it is of is made by the same plan.

    Attributes:
        value: where it is known; None where nobody can know it yet.
        address: what it is of.
        references: how the configuration names it.
    """

    value: object
    address: str
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """An IAM policy's document, compared by its meaning and not its text."""

    document: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Named:
    """A list of things made elsewhere: empty, or one of this name."""

    name: str


@dataclass(frozen=True, slots=True)
class PlanContext:
    """What a plan tells beside a single change.

    Attributes:
        made: the addresses of what it creates.
        settings: of each resource, what its configuration sets, as the plan has it.
    """

    made: frozenset[str]
    settings: Mapping[str, Settings]


def whole(plan: object, changes: Iterable[ResourceChange]) -> PlanContext:
    made = frozenset(one.address for one in changes if one.action is Action.CREATE)
    root = _mapping(_mapping(_mapping(plan).get("configuration")).get("root_module"))
    listed = root.get("resources")
    resources = [_mapping(one) for one in (listed if isinstance(listed, list) else ())]
    return PlanContext(
        made, {str(one.get("address")): _mapping(one.get("expressions")) for one in resources}
    )


def difference(
    change: ResourceChange, expected: Mapping[str, object], whole: PlanContext
) -> str | None:
    """What of that change is not as expected, as "its … would be …", or None."""
    makes = change.action in (Action.CREATE, Action.REPLACE)
    before = {} if makes else change.before
    seen = _Seen(
        change.after, change.unknown, whole.settings.get(change.resource), before, whole.made
    )
    return next(_differences(expected, seen, ""), None)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A block of a change, or all of it.

    Attributes:
        settings: None where nobody can tell what the configuration sets.
        before: what stands there now and may stay.
    """

    after: Mapping[str, object]
    unknown: Mapping[str, object]
    settings: Settings | None
    before: Mapping[str, object]
    made: frozenset[str]


def _differences(expected: Mapping[str, object], seen: _Seen, within: str) -> Iterator[str]:
    for key in sorted({*expected, *seen.after, *seen.unknown}):
        said, wanted = seen.after.get(key), expected.get(key)
        name = f"{within}{key}"
        if seen.unknown.get(key) is True:
            if not _may_be_late(key, wanted, seen):
                yield f"its {name} would be known only afterwards"
        elif key not in expected:
            if said and said != seen.before.get(key):
                yield f"its {name} would be {_shown(said)}, and this repository sets none"
            elif _shows_late(seen.unknown.get(key)):
                yield f"its {name} would be known only afterwards"
        elif isinstance(wanted, list) and wanted and isinstance(wanted[0], Mapping):
            yield from _in_blocks(wanted, key, seen, name)
        elif not _is_as(wanted, said) or _shows_late(seen.unknown.get(key)):
            yield f"its {name} would be {_shown(said)} and not {_shown(wanted)}"


def _in_blocks(wanted: list[Any], key: str, seen: _Seen, name: str) -> Iterator[str]:
    said = seen.after.get(key)
    if not isinstance(said, list) or len(said) != len(wanted):
        yield f"its {name} would be {_shown(said)} and not {_shown(wanted)}"
        return
    for number, one in enumerate(wanted):
        after, unknown = _mapping(said[number]), _mapping(_nth(seen.unknown.get(key), number))
        settings = _inner_settings(seen, key, number, {*one, *unknown})
        inner = _Seen(after, unknown, settings, {}, seen.made)
        yield from _differences(one, inner, f"{name}.")


def _inner_settings(seen: _Seen, key: str, number: int, inner: Iterable[str]) -> Settings | None:
    """Of a block that is written like an attribute, the plan tells all references at once."""
    if seen.settings is None:
        return None
    block = seen.settings.get(key)
    return _mapping(_nth(block, number)) if isinstance(block, list) else dict.fromkeys(inner, block)


def _may_be_late(key: str, wanted: object, seen: _Seen) -> bool:
    """Whether AWS fills this in; or the plan, once it has made what the value is of."""
    if seen.settings is None:
        return False
    if isinstance(wanted, KnownAfterApply):
        references = _mapping(seen.settings.get(key)).get("references")
        return wanted.address in seen.made and references == [*wanted.references]
    return key not in seen.settings and (not wanted or isinstance(wanted, Named))


def _shows_late(unknown: object) -> bool:
    """Whether any part of it does."""
    if isinstance(unknown, Mapping):
        return any(map(_shows_late, unknown.values()))
    return any(map(_shows_late, unknown)) if isinstance(unknown, list) else unknown is True


def _is_as(wanted: object, said: object) -> bool:
    match wanted:
        case KnownAfterApply():
            return bool(said) and said == wanted.value
        case Policy():
            return isinstance(said, str) and _parsed(said) == _plain(wanted.document)
        case Named():
            names = [_mapping(one).get("name") for one in said] if isinstance(said, list) else said
            return not names or names == [wanted.name]
    return said == wanted or not (said or wanted)


def _parsed(policy: str) -> object:
    """None for what has a key twice, of which nobody says which one counts."""
    try:
        return _plain(json.loads(policy, object_pairs_hook=_each_once))
    except (ValueError, RecursionError):
        return None


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key stands twice")
    return made


def _plain(part: object) -> object:
    """One spelling for all that mean the same: a list of one is that one, and order is nothing."""
    if isinstance(part, Mapping):
        return {key: _plain(value) for key, value in part.items()}
    if not isinstance(part, list | tuple):
        return part
    parts = sorted((_plain(one) for one in part), key=lambda one: json.dumps(one, sort_keys=True))
    return parts[0] if len(parts) == 1 else parts


def _shown(value: object) -> str:
    match value:
        case None:
            return "nothing known"
        case KnownAfterApply():
            return _shown(value.value) if value.value else f"the id of {value.address}"
        case Policy():
            text = json.dumps(value.document)
        case Named():
            text = f"{value.name} alone"
        case _:
            text = value if isinstance(value, str) else json.dumps(value, default=_shown)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _nth(value: object, number: int) -> object:
    return value[number] if isinstance(value, list) and number < len(value) else None
