"""A plan as people read it."""

from collections import Counter

from sandbox.tofu import address
from sandbox.tofu.plan import Action, Change, Host, Plan

_WILL = {
    Action.CREATE: ("+", "will be created"),
    Action.REPLACE: ("-/+", "will be replaced, as requested"),
    Action.DELETE: ("-", "will be destroyed"),
}


def planned(plan: Plan, *, targeted: bool) -> str:
    lines = [line for change in plan.moves for line in _block(change)]
    counts = Counter(change.action for change in plan.moves)
    added = counts[Action.CREATE] + counts[Action.REPLACE]
    destroyed = counts[Action.DELETE] + counts[Action.REPLACE]
    if lines:
        lines += ["", f"Plan: {added} to add, 0 to change, {destroyed} to destroy."]
    else:
        lines = ["No changes. Your infrastructure matches the configuration."]
    if targeted:
        lines += ["", "Warning: Resource targeting is in effect"]
    return "\n".join(lines)


def _block(change: Change) -> tuple[str, ...]:
    sign, what = _WILL[change.action]
    old, new = _attributes(change.before), _attributes(change.after)
    return (
        "",
        f"  # {address.of(change.name)} {what}",
        f'{sign:>3} resource "aws_instance" "clawdinator" {{',
        *(f"      {_line(name, old.get(name), new.get(name))}" for name in ("ami", "id", "type")),
        "    }",
    )


def _attributes(host: Host | None) -> dict[str, str]:
    if host is None:
        return {}
    return {"ami": host.image, "id": host.id or "(known after apply)", "type": host.type}


def _line(name: str, old: str | None, new: str | None) -> str:
    if old is None or new is None:
        return f"{'+' if old is None else '-'} {name} = {new or old}"
    return f"  {name} = {old}" if old == new else f"~ {name} = {old} -> {new}"
