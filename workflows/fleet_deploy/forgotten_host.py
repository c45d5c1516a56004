"""Hosts that the state does not know: an engine made them and was killed before it wrote so.

Whoever may launch and tag machines can make one look like that, so it is adopted only where more
speaks for it than its name.
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

from fleet_control import ledger
from fleet_control.deploy_jobs import host_jobs
from fleet_control.fault import Problem
from fleet_control.host import Host
from fleet_control.status import InstanceStatus
from workflows.fleet_deploy import roll
from workflows.fleet_deploy.change import Action, BadChange, host_address, read
from workflows.fleet_deploy.job import JobContext
from workflows.fleet_deploy.other_runs import Jobs
from workflows.fleet_deploy.stopped import Stopped

_SUCCESS = "success"

log = logging.getLogger(__name__)


def strays(plan: object, ids: Collection[str], machines: Mapping[str, str]) -> dict[str, str]:
    """Of each id whose host the plan would make a second time: the machine that is there.

    `machines` are the live ones by id. Nothing, where the plan would do more than make and
    replace hosts: then it is not one host that was forgotten, but another state that is read.
    """
    listed = plan.get("resource_changes") if isinstance(plan, Mapping) else None
    try:
        changes = [read(raw) for raw in listed] if isinstance(listed, list) else []
    except BadChange:
        return {}
    moving = {one.address: one.action for one in changes if one.action is not Action.NOTHING}
    addresses = {host_address(id_): id_ for id_ in ids}
    if not moving.keys() <= addresses.keys():
        return {}
    return {
        addresses[address]: machines[addresses[address]]
        for address, action in moving.items()
        if action is Action.CREATE and addresses[address] in machines
    }


def profile(id_: str) -> str:
    """The instance profile of an instance's host, as its ARN ends."""
    return f"instance-profile/fleet/host/{id_}/{id_}-host"


def unlike(row: InstanceStatus, ours: Collection[str]) -> str:
    """What about this instance's machine shows that no deploy made it, or nothing.

    That it is tagged `app=clawdinator` is how it was found; `ours` are the images of the fleet.
    """
    host = row.host
    if host is None:
        return "it is gone"
    if any(fault.problem is Problem.TWO_HOSTS for fault in row.faults):
        return "it is not the only one of that name"
    if host.name != row.id:
        return f"its Name is {host.name!r}"
    if host.image not in ours:
        return f"its image {host.image} is none of ours"
    # arn:partition:service:region:account:resource
    if host.profile.split(":", 5)[5:] != [profile(row.id)]:
        return f"its instance profile is not {row.id}-host" if host.profile else "it has no profile"
    return ""


def unmade(host: Host, runs: Iterable[ledger.Run], jobs: Jobs) -> str:
    """That no host's job of `runs` made this machine, where none did; or nothing."""
    for run in runs:
        # When it was asked for: a re-run moves the time at which it started.
        ended = ledger.seconds(run.updated) if run.finished else float("inf")
        if not ledger.seconds(run.created) <= host.launched <= ended:
            continue
        if any(_made(job, host) for job in host_jobs(jobs(run.id))):
            return ""
    when = datetime.fromtimestamp(host.launched, UTC)
    return f"it was launched at {when:%Y-%m-%d %H:%M:%S} UTC, in no deploy's job for it"


def _made(job: ledger.Job, host: Host) -> bool:
    """Whether this job failed and had to put a host of that name on that image just then."""
    return (
        job.conclusion not in (None, _SUCCESS)
        and job.name.startswith(f"{host.name}: ")
        # An earlier version named no revision.
        and job.name.partition(" @")[0].endswith(f" -> {host.image}")
        and job.started_at is not None
        and job.completed_at is not None
        and ledger.seconds(job.started_at) <= host.launched <= ledger.seconds(job.completed_at)
    )


def adopt(job: JobContext, turn: roll.HostTurn, plan: object) -> None:
    """Tell the state of the machine that it forgot.

    Stopped where that is no longer the one that `plan` saw, or no longer looks like one of ours.
    """
    view = job.look()
    if strays(plan, [turn.id], roll.machines(view.there)) != {turn.id: turn.seen}:
        raise Stopped(
            "Not adopted",
            f"{turn.seen}, which the state did not know when this was planned, is gone or known to "
            "it now. Start a new deploy.",
        )
    if why := unlike(view.there[turn.id], view.images):
        raise refused(turn.id, turn.seen, why)
    log.info("fleet.adopted instance=%s machine=%s", turn.id, turn.seen)
    job.engine.adopt(turn.id, turn.seen, turn.image)


# The file that `import` reads wants them all; they make nothing here.
_VARIABLES = (
    '-var="ami=$IMAGE" -var="revision=$(git rev-parse HEAD)" '
    "-var=\"seed_sha256=$(printf '%064d' 0)\""
)


def refused(id_: str, machine: str, why: str) -> Stopped:
    return Stopped(
        "Not adopted",
        f"The state does not know {machine}, which EC2 shows as {id_}, and no deploy seems to have "
        f"left it: {why}. Terminate it, or import it by hand; then deploy again.",
        "To import it: "
        f"`tofu -chdir=tofu/fleet import {_VARIABLES} '{host_address(id_)}' {machine}`",
    )
