"""The run is the judge: of duplicates, and of policy by what is there when its turn comes."""

from collections.abc import Iterable

from fleet_control import ledger
from fleet_control.caller import ALL, Caller
from fleet_control.policy import Facts, Refused, Usage, judge
from workflows.fleet_deploy import rivals
from workflows.fleet_deploy.cloud import Sight
from workflows.fleet_deploy.rivals import Jobs
from workflows.fleet_deploy.roll import host_of
from workflows.fleet_deploy.stop import Stopped


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
    verdict = judge(caller, entry.target, entry.ami_override, facts)
    if isinstance(verdict, Refused):
        raise Stopped(f"Refused ({verdict.code})", verdict.message)
    if isinstance(verdict, Usage):
        raise Stopped("Refused", f"Say what to deploy: {ALL}, {', '.join(verdict.ids)}.")


def facts(target: str, runs: Iterable[ledger.Run], sight: Sight, *, unfinished: str = "") -> Facts:
    """All that this depth can see, of runs before this one; `unfinished` links to what makes the
    caller busy."""
    host = host_of(target, sight.there)
    return Facts(
        ids=sight.status.registry.registry.ids,
        images=sight.images,
        conditions=sight.status.conditions,
        unfinished=unfinished,
        last_bot_deploy=ledger.last_bot_deploy(runs, host.launched if host else None),
        now=sight.status.taken,
    )
