"""`finish`, for `all` only: remove what left the registry, bring the rest up to date."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from fleet_control.caller import ALL
from fleet_control.error import Ec2Error
from workflows.fleet_deploy import guard, roll, runner, summary
from workflows.fleet_deploy.job import Job, Plan, planned, refuse, spare_the_caller, telling_where
from workflows.fleet_deploy.runner import Notice
from workflows.fleet_deploy.stop import Stopped

log = logging.getLogger(__name__)


def run(job: Job) -> Notice | None:
    plan = planned(job.environ)
    if job.asked.target != ALL:
        raise Stopped("Not for this", f"Only a deploy of `{ALL}` is finished this way.")
    spare_the_caller(job, ALL)
    try:
        _all_are_done(job, plan)
        gone = _apply_the_rest(job, plan.image)
    except Stopped as stop:
        raise telling_where(job, plan.roll, stop) from stop
    log.info("fleet.finished image=%s removed=%s", plan.image, ",".join(gone) or "none")
    return _tell(job, plan, gone)


def _tell(job: Job, plan: Plan, gone: tuple[str, ...]) -> Notice | None:
    """All is done by now: that the hosts can't be seen undoes none of it."""
    stays = ""
    try:
        sight = job.look()
        hosts = summary.hosts([turn.id for turn in plan.roll], sight.there)
        stays = summary.stays(roll.left(sight.status))
    except Ec2Error as error:
        hosts = f"Where the hosts are can't be seen now: {error}"
    runner.write_summary(job.environ, summary.finished(hosts, gone, stays))
    return Notice("Stays", stays) if stays else None


def _all_are_done(job: Job, plan: Plan) -> None:
    there = job.look().there
    for turn in plan.roll:
        if why := roll.unfinished(turn, there.get(turn.id), plan.image):
            raise Stopped("Roll stopped", f"Nothing was removed, the roll is not done: {why}.")


def _apply_the_rest(job: Job, image: str) -> tuple[str, ...]:
    """The ids whose hosts are removed."""
    job.engine.init()
    with TemporaryDirectory() as folder:
        file = Path(folder).resolve() / "plan"
        plan = job.engine.plan_rest(file, image)
        machines = job.look().machines
        refuse(guard.finished(plan, job.known.registry, machines, job.asked.caller))
        job.engine.apply(file)
    return guard.removed(plan)
