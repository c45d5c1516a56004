"""The job `finish`, for `all` only: remove what left the registry, bring the rest up to date."""

import logging
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from fleet_control.caller import ALL
from fleet_control.deploy_jobs import FINISH
from fleet_control.error import Ec2Error
from workflows.fleet_deploy import (
    goal,
    guard,
    known_machines,
    lost_lock,
    removal,
    roll,
    runner,
    summary,
)
from workflows.fleet_deploy.job import (
    DeployPlan,
    JobContext,
    planned,
    refuse,
    spare_the_caller,
    telling_where,
)
from workflows.fleet_deploy.runner import Annotation
from workflows.fleet_deploy.stopped import Stopped

log = logging.getLogger(__name__)


def run(job: JobContext) -> tuple[Annotation, ...]:
    plan = planned(job.environ)
    if job.asked.hosts != ALL or job.asked.operation not in goal.FINISHED:
        raise Stopped("Not for this", f"Only a deploy of `{ALL}` is finished this way.")
    spare_the_caller(job, ALL)
    notices = lost_lock.noted(job, FINISH)
    try:
        machines = _all_are_done(job, plan)
        gone = _apply_the_rest(job, plan.image, machines)
    except Stopped as stop:
        raise telling_where(job, plan.roll, stop) from stop
    log.info("fleet.finished image=%s removed=%s", plan.image, ",".join(gone) or "none")
    return notices + _tell(job, plan, gone)


def _tell(job: JobContext, plan: DeployPlan, gone: tuple[str, ...]) -> tuple[Annotation, ...]:
    """Write the summary. All is done by now: that the hosts can't be seen undoes none of it."""
    stays = ""
    try:
        view = job.look()
        hosts = summary.hosts([turn.id for turn in plan.roll], view.there)
        stays = summary.stays(roll.left(view.status))
    except Ec2Error as error:
        hosts = f"Where the hosts are can't be seen now: {error}"
    runner.write_summary(job.environ, summary.finished(hosts, gone, stays))
    return (Annotation("Stays", stays),) if stays else ()


def _all_are_done(job: JobContext, plan: DeployPlan) -> dict[str, str]:
    """The machines that the state knows and that are there, each with its instance."""
    job.engine.init()
    machines = job.engine.machines()
    view = known_machines.settled(job, machines)
    for turn in plan.roll:
        if why := roll.unfinished(turn, view.there.get(turn.id)):
            raise Stopped("Roll stopped", f"Nothing was removed, the roll is not done: {why}.")
    return {machine: id_ for machine, id_ in machines.items() if machine in view.staying}


def _apply_the_rest(job: JobContext, image: str, machines: Mapping[str, str]) -> tuple[str, ...]:
    """Apply the plan of everything; the ids whose hosts are removed."""
    with TemporaryDirectory() as folder:
        file = Path(folder).resolve() / "plan"
        plan = job.engine.plan_rest(file, image)
        seen = job.look(machines).machines
        violations = guard.finished(plan, seen, job.expectation, job.asked.caller)
        refuse((*violations, *removal.forgotten(plan, machines)))
        job.engine.apply(file)
    return guard.removed(plan)
