"""The violations that a guard finds in a plan, and the plan's changes that can be read."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from workflows.fleet_deploy.change import BadChange, ResourceChange, address_of, read


@dataclass(frozen=True, slots=True)
class Violation:
    """One change that a plan must not make.

    Attributes:
        address: what it would be done to.
        action: what would be done, to be read after "would".
        why: why it may not.
    """

    address: str
    action: str
    why: str

    def __str__(self) -> str:
        return f"{self.address} would {self.action}: {self.why}"


def changes_of(plan: object) -> tuple[tuple[ResourceChange, ...], tuple[Violation, ...]]:
    """The plan's changes, and what about it can't be read."""
    if not isinstance(plan, Mapping):
        return (), (_strange("the plan", "it is not an object"),)
    strange = [_strange("the plan", why) for why in _strange_plan(plan)]
    changes: list[ResourceChange] = []
    listed = plan.get("resource_changes") or []
    for raw in listed if isinstance(listed, list) else []:
        try:
            changes.append(read(raw))
        except BadChange as error:
            strange.append(_strange(address_of(raw), str(error)))
    twice = Counter(one.address for one in changes if not one.deposed)
    strange += [_strange(address, "it stands twice") for address, n in twice.items() if n > 1]
    return tuple(changes), tuple(strange)


def _strange(address: str, why: str) -> Violation:
    return Violation(address, "change in a way I do not understand", why)


def _strange_plan(plan: Mapping[str, object]) -> Iterable[str]:
    version = plan.get("format_version")
    if not isinstance(version, str) or not version.startswith("1."):
        yield f"its format version is {version!r}, not 1.x"
    if not isinstance(plan.get("resource_changes", []), list | None):
        yield "its resource_changes are not a list"
    if plan.get("errored"):
        yield "making it failed"
    for key in ("deferred_changes", "action_invocations"):
        if plan.get(key):
            yield f"it holds {key}"
