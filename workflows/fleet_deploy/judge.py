"""The run is the judge: of duplicates, and of policy by what is there when its turn comes."""

from collections.abc import Callable, Collection, Iterable

from fleet_control import ledger
from fleet_control.caller import ALL, Caller
from fleet_control.outcome import Outcome, Record, record
from fleet_control.policy import Allowed, Facts, Refused, Usage, Verdict, judge
from workflows.fleet_deploy import rivals
from workflows.fleet_deploy.cloud import Sight
from workflows.fleet_deploy.rivals import Jobs
from workflows.fleet_deploy.roll import Turn
from workflows.fleet_deploy.stop import Stopped

# Of how many runs, each a call of GitHub's API, which takes a thousand an hour.
MOST_JOBS_ASKED = 8


def only_once(entry: ledger.Entry, run_id: int, runs: Iterable[ledger.Run], jobs: Jobs) -> None:
    """Stopped where another run of this request id is the deploy."""
    first = rivals.deploy_of(entry.request_id, run_id, runs, jobs)
    if first:
        raise Stopped(
            "Asked twice",
            f"Run {first.id} is the deploy of this ask ({first.url}); "
            "this run has touched nothing.",
        )


def allow(caller: Caller, entry: ledger.Entry, facts: Facts) -> None:
    """Stopped where the policy refuses."""
    verdict = judge(caller, entry.target, entry.version, facts)
    if isinstance(verdict, Refused):
        raise Stopped(f"Refused ({verdict.code})", verdict.message)
    if isinstance(verdict, Usage):
        raise Stopped("Refused", f"Say what to deploy: {ALL}, {', '.join(verdict.ids)}.")


def brought_along(
    caller: Caller, entry: ledger.Entry, turns: Iterable[Turn], facts_of: Callable[[str], Facts]
) -> tuple[tuple[Turn, ...], tuple[str, ...]]:
    """The turns without those that nobody named and the caller may not deploy; and why not."""
    kept: list[Turn] = []
    left_out: list[str] = []
    for turn in turns:
        verdict: Verdict = Allowed()
        if entry.target not in (ALL, turn.id):
            verdict = judge(caller, turn.id, entry.version, facts_of(turn.id))
        if isinstance(verdict, Refused):
            left_out.append(verdict.message)
        else:
            kept.append(turn)
    return tuple(kept), tuple(left_out)


def facts(sight: Sight, *, unfinished: str = "") -> Facts:
    """What this depth sees of the fleet; `unfinished` links to what makes the caller busy."""
    return Facts(
        ids=sight.status.registry.registry.ids,
        images=sight.images,
        conditions=sight.status.conditions,
        unfinished=unfinished,
        now=sight.status.taken,
    )


def bots_record(target: str, runs: Collection[ledger.Run], now: float, jobs: Jobs) -> Record:
    """What bots' deploys of the target came to. Where too many runs came to nothing to ask about
    them all, the rest count as failed: else a bot could hide its failures behind such runs."""
    seen: dict[int, Iterable[ledger.Job]] = {}
    found = record(target, runs, now, seen)
    while found.open and len(seen) < MOST_JOBS_ASKED:
        seen[found.open.id] = jobs(found.open.id)
        found = record(target, runs, now, seen)
    return record(target, runs, now, seen, Outcome.FAILED) if found.open else found
