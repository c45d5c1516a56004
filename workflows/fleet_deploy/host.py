"""`host`: replace one host, or create it, and wait until it is healthy."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from fleet_control.error import Ec2Error
from workflows.fleet_deploy import guard, health, roll, runner, stray, summary
from workflows.fleet_deploy.cloud import Sight
from workflows.fleet_deploy.job import Job, Plan, planned, refuse, spare_the_caller, telling_where
from workflows.fleet_deploy.stop import Stopped

log = logging.getLogger(__name__)


def run(job: Job) -> None:
    (instance,) = runner.needed(job.environ, "INSTANCE")
    plan = planned(job.environ)
    earlier = roll.before(plan.roll, instance)
    turn = plan.roll[len(earlier)]
    began = job.clock.now()
    try:
        spare_the_caller(job, turn.id)
        _may_begin(job, turn, earlier, plan)
        _replace(job, turn, plan.image)
        machine = _wait_until_healthy(job, turn, plan.image)
    except Stopped as stop:
        raise telling_where(job, plan.roll, stop) from stop
    took = summary.span(job.clock.now() - began)
    log.info("fleet.replaced instance=%s machine=%s took=%s", turn.id, machine, took)
    runner.write_summary(job.environ, summary.replaced(turn, machine, plan.image, took))


def _may_begin(job: Job, turn: roll.Turn, earlier: tuple[roll.Turn, ...], plan: Plan) -> None:
    """Every host before this one is as it should be; of the last of them the service too.

    That one is enough: had an earlier host's service been down, the host after it had not moved.
    """
    sight = job.look()
    why = roll.hindrance(turn, earlier, sight.there, plan.image)
    if not why and earlier:
        last = earlier[-1]
        trouble = job.service.trouble(_machine(sight, last.id))
        why = trouble and f"the roll stopped at {last.id}: {trouble}"
    if why:
        raise Stopped("Roll stopped", f"{turn.id} was not touched: {why}.")


def _replace(job: Job, turn: roll.Turn, image: str) -> None:
    """Plan, guard that file, apply that very file."""
    job.engine.init()
    with TemporaryDirectory() as folder:
        file = Path(folder).resolve() / "plan"
        plan = job.engine.plan_hosts(file, image, [turn.id])
        if turn.adopt:
            _adopt(job, turn, image, plan)
            plan = job.engine.plan_hosts(file, image, [turn.id])
        refuse(guard.rolled(plan, [turn.id], image, job.look().machines, job.asked.caller))
        job.engine.apply(file)


def _adopt(job: Job, turn: roll.Turn, image: str, plan: object) -> None:
    """Tell the state of the machine that it forgot.

    Stopped where that is no longer the one that `plan` saw, or no longer looks like one of ours.
    """
    sight = job.look()
    if stray.strays(plan, [turn.id], roll.machines(sight.there)) != {turn.id: turn.seen}:
        raise Stopped(
            "Not adopted",
            f"{turn.id} was not touched: {turn.seen}, which the state did not know when this was "
            "planned, is gone or known to it now. Start a new deploy.",
        )
    if why := stray.unlike(sight.there[turn.id], sight.images):
        raise stray.refused(turn.id, turn.seen, why)
    log.info("fleet.adopted instance=%s machine=%s", turn.id, turn.seen)
    job.engine.adopt(turn.id, turn.seen, image)


def _wait_until_healthy(job: Job, turn: roll.Turn, image: str) -> str:
    """The new machine, once its status checks and its service say so; each has the deadline."""
    missing = health.wait(lambda: _unfinished(job, turn, image), job.pace, job.clock)
    if not missing:
        machine = _machine(job.look(), turn.id)
        trouble = health.wait(lambda: job.service.trouble(machine), job.pace, job.clock)
        if not trouble:
            return machine
        missing = f"{turn.id} ({machine}): {trouble}"
    raise Stopped(
        "Not healthy",
        f"{turn.id} was replaced but did not become healthy within "
        f"{summary.span(job.pace.deadline)}: {missing}.",
    )


def _unfinished(job: Job, turn: roll.Turn, image: str) -> str:
    try:
        return roll.unfinished(turn, job.look().there.get(turn.id), image)
    except Ec2Error as error:
        return f"EC2 can't be read ({error})"


def _machine(sight: Sight, id_: str) -> str:
    host = roll.host_of(id_, sight.there)
    return host.id if host else ""
