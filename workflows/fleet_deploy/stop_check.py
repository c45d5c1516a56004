"""Whether a person has told this run to stop: looked at before each host, and before `finish`.

It fails at nothing. Where it is told so it says who stopped the roll, and the step after it fails
under a name of its own, by which the list of jobs tells a stop from a failure.
"""

from collections.abc import Mapping

from fleet_control.deploy_jobs import EndState, begins
from fleet_control.ledger import person
from fleet_control.run_title import is_requested_by
from fleet_control.table_item import Item
from workflows.fleet_deploy import control_table, runner
from workflows.fleet_deploy.control_table import TableAway
from workflows.fleet_deploy.runner import Annotation
from workflows.fleet_deploy.stopped import Stopped

_SOMEBODY = "somebody"


def look(environ: Mapping[str, str]) -> None:
    """Hand on who stopped the roll, if anybody did; a table that can't be read stops nothing."""
    try:
        row = _row(environ)
    except (TableAway, Stopped) as error:
        goes_on = f"Whether anybody told the roll to stop can't be seen: {error} It goes on."
        runner.say_notice(Annotation("Not seen", goes_on))
        return
    if row is not None:
        by = str(row.get("by", ""))
        by = by if is_requested_by(by) else _SOMEBODY
        runner.write_outputs(environ, {"by": by})
        runner.say_error("Stopped", told(environ.get("INSTANCE", ""), by))


def _row(environ: Mapping[str, str]) -> Item | None:
    table = control_table.connect(environ)
    (run,) = runner.needed(environ, "GITHUB_RUN_ID")
    if table is None:
        raise TableAway(control_table.UNSET)
    return table.get(f"stop#{run}")


def told(instance: str, by: str) -> str:
    """What is left as it is, and why; no instance is of `finish`."""
    left = begins(instance, EndState.UNTOUCHED) if instance else "Nothing was removed: "
    return f"{left}the roll was stopped by {person(by)}."
