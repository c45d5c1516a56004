"""The roll that runs is told to stop: a row of the control table, which its run reads before it
begins another host."""

from collections.abc import Mapping

from fleet_control.caller import ALL
from fleet_control.ledger import Operation, Run, person
from fleet_control.roll_stop import Place, named, place
from fleet_control.table_item import Item
from lambda_fn.failure import Code, Failure
from lambda_fn.github import GitHubClient
from lambda_fn.table import Table

# GitHub ends every run after 35 days; DynamoDB may then forget that it was to stop.
_KEPT = 40 * 24 * 3600


def stop(by: str, github: GitHubClient, table: Table | None) -> Mapping[str, object]:
    """Write down that this person stops the run under way; who did so before stays the one."""
    if table is None:
        why = "A stop is written into the control table, and there is none: set CONTROL_TABLE."
        raise Failure(Code.MISCONFIGURED, why)
    run = github.under_way()
    if run is None:
        none = "GitHub shows no deploy under way. `/fleet cancel` is for one that waits."
        raise Failure(Code.NOTHING_RUNS, none)
    where = place(run)
    _refuse_at_the_end(run, where)
    stands = table.put(_item(run.id, by, github.now), None)
    by = by if stands is None else str(stands["by"])
    return {
        "message": _told(run, where, by, again=stands is not None),
        "run": {"id": run.id, "url": run.url, "target": run.target, "at": where.at},
        "by": by,
    }


def _item(run_id: int, by: str, now: float) -> Item:
    return {"pk": f"stop#{run_id}", "by": by, "at": int(now), "expires": int(now) + _KEPT}


def _refuse_at_the_end(run: Run, where: Place) -> None:
    if run.operation == Operation.UNLOCK:
        why = f"{named(run)} only breaks a lock: there is nothing to stop between two hosts."
        raise Failure(Code.AT_ITS_LAST, why)
    if where.more:
        return
    # What went wrong is settled by the one command that needs no host's own word.
    target = run.target if run.operation in ("", Operation.ROLLBACK) and run.target else ALL
    raise Failure(
        Code.AT_ITS_LAST,
        f"{named(run)} is at its last{f', `{where.at}`' if where.at else ''}. A stop in the "
        "middle of it is not offered: the engine would leave its work half done. Wait for its end; "
        f"`/fleet rollback {target}` then goes back.",
    )


def _told(run: Run, where: Place, by: str, *, again: bool) -> str:
    """True whenever it is read: the run goes on meanwhile, and GitHub shows it seconds late."""
    at = f"at `{where.at}`, which it finishes first" if where.at else "at no host"
    told = f"was told by {person(by)} before" if again else "was told"
    return (
        f"{named(run)} {told} to begin no further host. GitHub showed it {at}. "
        "Its own reply tells where it ended."
    )
