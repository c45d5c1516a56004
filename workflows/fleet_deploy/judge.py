"""The run is the judge: of duplicates, and of policy by what is there when its turn comes."""

from collections.abc import Iterable

from fleet_control import ledger
from fleet_control.caller import ALL, BotInstance, Caller
from fleet_control.policy import BotDeploy, Facts, Refused, Usage, judge
from workflows.fleet_deploy.cloud import Sight
from workflows.fleet_deploy.roll import host_of
from workflows.fleet_deploy.stop import Stopped


def only_once(entry: ledger.Entry, run_id: int, runs: Iterable[ledger.Run]) -> None:
    """Stopped where an older run of this request id is the deploy."""
    first = ledger.oldest(runs, entry.request_id) if entry.request_id else None
    if first and first.id < run_id:
        raise Stopped(
            "Asked twice",
            f"Run {first.id} is the deploy of this ask ({first.url}); "
            "this run came later and touched nothing.",
        )


def allow(caller: Caller, entry: ledger.Entry, facts: Facts) -> None:
    """Stopped where the policy refuses."""
    verdict = judge(caller, entry.target, entry.ami_override, facts)
    if isinstance(verdict, Refused):
        raise Stopped(f"Refused ({verdict.code})", verdict.message)
    if isinstance(verdict, Usage):
        raise Stopped("Refused", f"Say what to deploy: {ALL}, {', '.join(verdict.ids)}.")


def facts(
    caller: Caller, target: str, run_id: int, runs: Iterable[ledger.Run], sight: Sight
) -> Facts:
    """All that this depth can see."""
    earlier = [run for run in runs if run.id < run_id]
    return Facts(
        ids=sight.status.registry.registry.ids,
        images=frozenset(image.id for image in sight.status.images),
        conditions=sight.status.conditions,
        unfinished=_unfinished(caller, earlier),
        last_bot_deploy=_last_bot_deploy(target, earlier, sight),
        now=sight.status.taken,
    )


def _unfinished(caller: Caller, earlier: Iterable[ledger.Run]) -> str:
    if not isinstance(caller, BotInstance):
        return ""
    own = (run for run in earlier if run.caller == caller.instance and not run.finished)
    return next((run.url for run in own), "")


def _last_bot_deploy(target: str, earlier: Iterable[ledger.Run], sight: Sight) -> BotDeploy | None:
    host = host_of(target, sight.there)
    run = ledger.launched_by(earlier, host.launched) if host else None
    if run is None or not run.caller or not run.finished:
        return None
    return BotDeploy(run.caller, ledger.seconds(run.updated))


def resolve_image(override: str, sight: Sight) -> str:
    """The image of this run: the one asked for, which the policy has judged, or the newest."""
    if override:
        return override
    if sight.status.newest is None:
        raise Stopped(
            "No image",
            "There is no available image of ours tagged clawdinator=true. Build one first.",
        )
    return sight.status.newest.id
