"""The command `clawbot preflight`: whether a deploy would work, as it is seen from a desk."""

import argparse
import asyncio
from collections.abc import Iterator, Sequence

from clawbot.provision import desk_preflight
from clawbot.provision.desk import Desk
from clawbot.provision.error import ProvisionError
from clawbot.provision.operator_context import OperatorContext
from fleet_control import text_output
from fleet_control.look import LOOK_SECONDS, look
from fleet_control.preflight import Check, Outcome


def preflight(context: OperatorContext, _: argparse.Namespace) -> Iterator[str]:
    """What was found, worst first; ProvisionError where something is wrong, or the Control API
    could not be asked."""
    yield f"Looking, for {LOOK_SECONDS:.0f} seconds at the most."
    checks = asyncio.run(_checks(context))
    yield text_output.preflight(checks)
    if any(one.outcome is Outcome.WRONG for one in checks):
        raise ProvisionError("Mend what is marked ✗, then look again.")
    if checks[0].outcome is not Outcome.OK:
        # Of a deploy that nobody can be asked for, nothing good can be said.
        raise ProvisionError(f"The {checks[0].name} could not be asked.")


async def _checks(context: OperatorContext) -> Sequence[Check]:
    async with Desk(context) as desk:
        return await look((*desk.looks(), *desk_preflight.looks(context)), desk.clock)
