"""What the ledger says of the past, as the policy asks it.

Apart from `ledger`, since the Lambda carries that one and sees no host.
"""

from collections.abc import Iterable

from fleet_control.ledger import Run, seconds
from fleet_control.policy import BotDeploy


def launched_by(runs: Iterable[Run], launched: float) -> Run | None:
    """The run in which a host was launched that was launched at `launched` (Unix seconds).

    One runs at a time, and GitHub counts a run as started while it still waits: of those that fit,
    it was the oldest.
    """
    for run in sorted(runs, key=lambda run: run.id):
        begun = seconds(run.started or run.created)
        ended = seconds(run.updated) if run.finished else float("inf")
        if begun <= launched <= ended:
            return run
    return None


def last_bot_deploy(runs: Iterable[Run], launched: float | None) -> BotDeploy | None:
    """The deploy that made a host which was launched then (Unix seconds), if a bot asked for it.

    One that is not over, or that a lagging list shows so, counts as ended when it last changed.
    """
    run = None if launched is None else launched_by(runs, launched)
    return BotDeploy(run.caller, seconds(run.updated)) if run and run.caller else None


def unfinished(runs: Iterable[Run], instance: str, at: float | None = None) -> tuple[Run, ...]:
    """A bot instance's own deploys that are not over, oldest first; with `at`, were not over then.

    One that began after `at` was not over then, either.
    """
    own = (run for run in runs if run.caller == instance)
    open_ = (
        run for run in own if not run.finished or (at is not None and seconds(run.updated) > at)
    )
    return tuple(sorted(open_, key=lambda run: run.id))
