"""Whether the fleet is frozen now that a run's turn has come: it may have been asked for before."""

from fleet_control import freeze
from fleet_control.caller import is_operator
from fleet_control.policy import Facts, Refused, judge
from workflows.fleet_deploy import control_table, inputs
from workflows.fleet_deploy.control_table import TableAway
from workflows.fleet_deploy.job import JobContext
from workflows.fleet_deploy.runner import Annotation
from workflows.fleet_deploy.stopped import Stopped

_UNSEEN = "Whether the fleet is frozen can't be seen:"


def look(job: JobContext) -> tuple[Annotation, ...]:
    """What is to be told beside; Stopped where a freeze keeps this run back.

    Where the table is away a person's run goes on, and a bot instance's does not.
    """
    asked = job.asked
    if not asked.moves_hosts:
        return ()
    caller = inputs.speaker(asked, job.starter, job.registry)
    table = control_table.connect(job.environ)
    if table is None:
        return (Annotation("Not seen", f"{_UNSEEN} {control_table.UNSET} It goes on."),)
    try:
        held = freeze.read(table.get(freeze.KEY), job.clock.now())
    except TableAway as error:
        if is_operator(caller):
            return (Annotation("Not seen", f"{_UNSEEN} {error} It goes on."),)
        why = f"Nothing was touched. {_UNSEEN} {error} A person's deploy goes on all the same."
        raise Stopped("Not seen", why) from error
    if held is None:
        return ()
    facts = Facts(frozen=held)
    verdict = judge(caller, asked.hosts, asked.image_or_commit, facts, override=asked.override)
    if isinstance(verdict, Refused):
        raise Stopped(f"Refused ({verdict.code})", verdict.message)
    return (Annotation("Overridden", held.overridden),)
