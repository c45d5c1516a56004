"""Machines that the state or `plan` knows: one that EC2 does not list is not taken for gone.

Only what EC2 says of its id tells that a machine is gone. Taken for gone while it runs, it would
be made a second time.
"""

from collections.abc import Collection, Mapping

from workflows.fleet_deploy import roll
from workflows.fleet_deploy.cloud import FleetView
from workflows.fleet_deploy.health import Polling, wait
from workflows.fleet_deploy.job import JobContext
from workflows.fleet_deploy.stopped import Stopped

# For so long EC2 is asked again for what it does not list.
LOOK_AGAIN_SECONDS = 60.0


def settled(job: JobContext, known: Mapping[str, str]) -> FleetView:
    """The fleet, once EC2 lists every known machine that it does not say is gone.

    `known` tells each machine's instance. Stopped where it does not within a minute.
    """
    looks: list[FleetView] = []

    def look() -> str:
        looks.append(job.look(known))
        return hidden(looks[-1], known)

    pace = Polling(min(job.pace.deadline, LOOK_AGAIN_SECONDS), job.pace.poll)
    if why := wait(look, pace, job.clock):
        raise Stopped("EC2 is silent", why)
    return looks[-1]


def hidden(view: FleetView, known: Mapping[str, str]) -> str:
    """Which machine EC2 should list and does not, and what to do; or nothing."""
    machines = (*view.unlisted, *view.unsure)
    if not machines:
        return ""
    first = machines[0]
    more = f" and {len(machines) - 1} more" if len(machines) > 1 else ""
    if first in view.unlisted:
        why = "but shows it by its id"
        mend = "If it lost its tag app=clawdinator, tag it; else deploy again in a few minutes."
    else:
        why = "and does not say that it is gone"
        mend = "Deploy again in a few minutes."
    return (
        f"EC2 does not list {first} ({known[first]}){more}, {why}: a host that is made now could "
        f"be a second one. {mend}"
    )


def one_machine_each(view: FleetView, ids: Collection[str], known: Collection[str]) -> None:
    """Stopped where one of these instances has more than one."""
    for id_ in ids:
        row = view.there.get(id_)
        if row and (why := roll.twins(row, known)):
            raise Stopped("Two machines", f"{why}, then deploy again.")
