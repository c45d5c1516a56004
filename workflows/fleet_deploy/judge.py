"""The run's own judgement: whether it is a duplicate, and whether the policy allows it now."""

from collections.abc import Callable, Collection, Iterable

from fleet_control import ledger
from fleet_control.bot_record import BotRecord, record
from fleet_control.caller import ALL, Caller
from fleet_control.policy import Allowed, Facts, Refused, Usage, Verdict, judge
from workflows.fleet_deploy import other_runs
from workflows.fleet_deploy.cloud import FleetView
from workflows.fleet_deploy.other_runs import Jobs
from workflows.fleet_deploy.roll import HostTurn
from workflows.fleet_deploy.stopped import Stopped

# Of how many runs by bots, and again by people, for one instance.
MOST_JOBS_ASKED = 8
# And for all that a roll brings along: GitHub takes a thousand calls an hour, of all runs together.
MOST_JOBS_IN_ALL = 64


def only_once(entry: ledger.Entry, run_id: int, runs: Iterable[ledger.Run], jobs: Jobs) -> None:
    """Stopped where another run of this request id is the deploy."""
    first = other_runs.deploy_of(entry.request_id, run_id, runs, jobs)
    if first:
        raise Stopped(
            "Asked twice",
            f"Run {first.id} is the deploy of this ask ({first.url}); "
            "this run has touched nothing.",
        )


def allow(caller: Caller, entry: ledger.Entry, facts: Facts, more: str = "") -> None:
    """Stopped where the policy refuses; `more` follows its sentence."""
    verdict = judge(caller, entry.hosts, entry.image_or_commit, facts)
    if isinstance(verdict, Refused):
        raise Stopped(f"Refused ({verdict.code})", f"{verdict.message}{more}")
    if isinstance(verdict, Usage):
        raise Stopped("Refused", f"Say what to deploy: {ALL}, {', '.join(verdict.ids)}.")


def brought_along(
    caller: Caller, entry: ledger.Entry, turns: Iterable[HostTurn], facts_of: Callable[[str], Facts]
) -> tuple[tuple[HostTurn, ...], tuple[str, ...]]:
    """The turns without those that nobody named and the caller may not deploy; and why not."""
    kept: list[HostTurn] = []
    left_out: list[str] = []
    for turn in turns:
        verdict: Verdict = Allowed()
        if entry.hosts not in (ALL, turn.id):
            verdict = judge(caller, turn.id, entry.image_or_commit, facts_of(turn.id))
        if isinstance(verdict, Refused):
            left_out.append(verdict.message)
        else:
            kept.append(turn)
    return tuple(kept), tuple(left_out)


def facts(view: FleetView, *, unfinished: str = "") -> Facts:
    """What this depth sees of the fleet; `unfinished` links to what makes the caller busy."""
    return Facts(
        ids=view.status.registry.ids,
        images=view.images,
        conditions=view.status.conditions,
        unfinished=unfinished,
        now=view.status.taken,
    )


def bots_record(
    target: str,
    runs: Collection[ledger.Run],
    now: float,
    jobs: Jobs,
    left: int = MOST_JOBS_IN_ALL,
) -> BotRecord:
    """What bots' deploys of the target came to: bots' own runs are asked about first, and then
    people's, which need it seldom. Where too many of either came to nothing, it is not seen: else a
    bot could hide its failures behind such runs. `left` is how many may still be asked about."""
    seen: dict[int, Iterable[ledger.Job]] = {}
    found = record(target, runs, now, seen)
    for by_bots in (True, False):
        for _ in range(min(MOST_JOBS_ASKED, left // 2)):
            if run := found.open if by_bots else found.doubt:
                seen[run.id] = jobs(run.id)
                found = record(target, runs, now, seen)
    return found._replace(unseen=bool(found.open or found.doubt))
