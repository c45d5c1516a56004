"""Do what a plan says, as it says, or not at all."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sandbox.tofu import address
from sandbox.tofu.failure import Failed
from sandbox.tofu.fleet import Fleet
from sandbox.tofu.plan import Change, Plan

# As many resources as OpenTofu walks at once.
_AT_ONCE = 10


def apply(plan: Plan, fleet: Fleet, say: Callable[[str], None]) -> None:
    """Failed where the plan is stale, or where a host could not be moved; the others are, then."""
    now = {name: host.id for name, host in sorted(fleet.hosts().items())}
    if now != plan.state:
        raise Failed(
            "Saved plan is stale",
            "The given plan file can no longer be applied because the state was changed by "
            "another operation after the plan was created.",
        )
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        walks = [pool.submit(_move, change, fleet, say) for change in plan.moves]
    for walk in walks:
        walk.result()
    added = sum(change.after is not None for change in plan.moves)
    destroyed = sum(change.before is not None for change in plan.moves)
    say(f"\nApply complete! Resources: {added} added, 0 changed, {destroyed} destroyed.")


def _move(change: Change, fleet: Fleet, say: Callable[[str], None]) -> None:
    """The old host goes first: two of one instance would share its Discord token."""
    where = address.of(change.name)
    if change.before:
        begun = time.monotonic()
        say(f"{where}: Destroying... [id={change.before.id}]")
        fleet.terminate(change.before.id)
        say(f"{where}: Destruction complete after {_since(begun)}")
    if change.after:
        begun = time.monotonic()
        say(f"{where}: Creating...")
        id_ = fleet.launch(change.name, change.after)
        say(f"{where}: Creation complete after {_since(begun)} [id={id_}]")


def _since(begun: float) -> str:
    return f"{round(time.monotonic() - begun)}s"
