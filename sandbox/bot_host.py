"""The EC2 host that the sandbox's bot rides: wait until it runs, and until it is gone."""

import asyncio
import logging
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from fleet_control import ec2
from fleet_control.clock import Clock
from fleet_control.error import Ec2Error
from fleet_control.host import HostState
from fleet_control.machine import describe_machines
from sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

LOOK_EVERY_SECONDS = 0.2
# A real engine takes its time between the end of a host and the launch of the next.
COMES_WITHIN_SECONDS = 120.0

log = logging.getLogger(__name__)


class NoHost(Exception):
    """The instance has no running host to start the bot on; the message is a sentence."""


class BotHost:
    """Watches one instance's host; without an `instance` the bot rides none and always runs."""

    def __init__(self, sandbox: Sandbox, instance: str, clock: Clock) -> None:
        self._sandbox = sandbox
        self._instance = instance
        self._clock = clock

    async def comes(self) -> str:
        """Wait for a machine that runs the instance's host; returns its id. NoHost if none."""
        if not self._instance:
            return ""
        until = self._clock.now() + COMES_WITHIN_SECONDS
        while not (running := await self._running()):
            if self._clock.now() >= until:
                raise NoHost(f"{self._instance} has no host: nothing carries me any more.")
            await self._clock.sleep(LOOK_EVERY_SECONDS)
        machine = max(running, key=running.__getitem__)
        log.info("sandbox.carrier_came instance=%s machine=%s", self._instance, machine)
        return machine

    async def goes(self, machine: str) -> None:
        """Return once that machine runs no longer."""
        if not self._instance:
            await asyncio.Event().wait()
        while machine in await self._running():
            await self._clock.sleep(LOOK_EVERY_SECONDS)
        log.info("sandbox.carrier_went instance=%s machine=%s", self._instance, machine)

    @cached_property
    def _ec2(self) -> "EC2Client":
        key = self._sandbox.seeded.deployer
        return ec2.client(
            self._sandbox.seeded.region, key.access_key, key.secret_key, self._sandbox.aws_url
        )

    async def _running(self) -> Mapping[str, float]:
        """The machines that run under the instance's name, each with its launch."""
        while True:
            try:
                machines = await asyncio.to_thread(describe_machines, self._ec2)
            except Ec2Error as error:
                log.warning("sandbox.carrier_unseen why=%s", error)
                await self._clock.sleep(LOOK_EVERY_SECONDS)
                continue
            return {
                one.id: one.launched
                for one in machines
                if one.name == self._instance and one.state is HostState.RUNNING
            }
