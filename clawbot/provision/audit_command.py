"""The command `clawbot audit`: who did what, by the ledger and the Control API's log."""

import argparse
import asyncio
from collections.abc import Iterator, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from clawbot.provision import audit_trail, control_log
from clawbot.provision.control_log import ControlLine
from clawbot.provision.desk import Desk
from clawbot.provision.error import ProvisionError
from clawbot.provision.operator_context import OperatorContext
from fleet_control import aws_error
from fleet_control.clock import SystemClock
from fleet_control.error import FleetError
from fleet_control.github import PER_PAGE
from fleet_control.ledger import Run, seconds


def add_to(parser: argparse.ArgumentParser) -> None:
    """Its words."""
    parser.add_argument(
        "since",
        nargs="?",
        type=_since,
        default=audit_trail.A_DAY,
        metavar="SINCE",
        help="how far back: 2h, 3d, or a date, which begins in UTC (1d)",
    )
    parser.add_argument("--json", action="store_true", help="a JSON object a line")
    parser.set_defaults(act=audit)


def _since(text: str) -> float:
    try:
        return audit_trail.since(text, SystemClock().now())
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def audit(context: OperatorContext, options: argparse.Namespace) -> Iterator[str]:
    """A line for each thing that was asked for, oldest first. Where one of the two can't be read,
    what the other has is told, and ProvisionError says why."""
    begin: float = options.since
    runs, no_runs = asyncio.run(_runs(context))
    lines, no_lines = _lines(context, begin)
    entries = audit_trail.trail(runs, lines, begin)
    yield from (one.json if options.json else one.text for one in entries)
    if not entries and not options.json:
        yield "Nothing was asked for since then."
    problems = (*no_runs, *no_lines, *_unlisted(runs, begin))
    if problems:
        raise ProvisionError(*problems)


def _lines(context: OperatorContext, begin: float) -> tuple[Sequence[ControlLine], Sequence[str]]:
    """What the Control API did or refused; or nothing, and why."""
    try:
        with context.client("logs") as logs:
            return control_log.read(logs, begin), ()
    except ProvisionError as error:
        return (), error.problems


async def _runs(context: OperatorContext) -> tuple[Sequence[Run], Sequence[str]]:
    """The newest runs of the ledger; or none, and why."""
    async with Desk(context) as desk:
        try:
            fleet = await desk.fleet()
            return await fleet.api.runs(limit=PER_PAGE), ()
        except ProvisionError as error:
            why: Sequence[str] = error.problems
        except FleetError as error:
            why = [str(error)]
        except (BotoCoreError, ClientError) as error:
            why = [aws_error.words(error, f"AWS does not show it ({aws_error.name(error)}).")]
    return (), [f"The ledger can't be read. {' '.join(why)}"]


def _unlisted(runs: Sequence[Run], begin: float) -> Iterator[str]:
    """A list that is full may go on before its oldest."""
    oldest = min((run.created for run in runs), key=seconds, default="")
    if len(runs) >= PER_PAGE and seconds(oldest) > begin:
        yield f"The ledger was read back to {oldest}: of deploys before that only refusals show."
