"""What `clawbot audit` tells at a desk, in the sandbox, whose keys lie in no nix-secrets."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import boto3

from clawbot.provision import audit_trail, control_log
from clawbot.provision.control_log import ControlLine
from fleet_control.clock import SystemClock
from fleet_control.control_api import ControlApi
from fleet_control.github import PER_PAGE
from sandbox.function_log import FunctionLog
from sandbox.principal import REGION

_NOTHING = "Nothing was asked for since then."


@dataclass(frozen=True, slots=True)
class DeskAudit:
    """Of the AWS at `url`; `asks` gives the Control API with an agent's key."""

    url: str
    function_log: FunctionLog
    asks: Callable[[], ControlApi]

    async def tells(self, since: str = audit_trail.A_DAY) -> str:
        """The lines of the command, or what would be right for `since`."""
        try:
            begin = audit_trail.since(since, SystemClock().now())
        except ValueError as error:
            return str(error)
        await self.function_log.written()
        lines = await asyncio.to_thread(self._logged, begin)
        async with self.asks() as api:
            runs = await api.runs(limit=PER_PAGE)
        return "\n".join(one.text for one in audit_trail.trail(runs, lines, begin)) or _NOTHING

    def _logged(self, begin: float) -> list[ControlLine]:
        with closing(
            boto3.client(
                "logs",
                region_name=REGION,
                endpoint_url=self.url,
                aws_access_key_id="operator",
                aws_secret_access_key="operator",  # noqa: S106  (moto takes any)
            )
        ) as logs:
            return control_log.read(logs, begin)
