"""Whether a speaker is an instance: the registry is asked for every one, on every platform.

An account that it gives to an instance speaks as that instance, though it may be no program, and an
operator's. By a registry that could not be read anew, whoever speaks is what was known last.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from clawbot.ask import Ask
from clawbot.replies import broken
from fleet_control.caller import Caller, Unknown, is_operator
from fleet_control.clock import Clock
from fleet_control.error import FleetError
from fleet_control.registry import Registry
from fleet_control.registry_source import AGAIN_SECONDS, KEPT_SECONDS, RegistrySource

# A read that hangs keeps nobody waiting for longer.
WITHIN_SECONDS = 5.0
DOUBTED = broken(
    "I have not seen the registry yet, so I can't tell whether you are one of its instances. "
    "I did nothing. Ask again in a minute, or see what `/fleet status` says of it."
)
# Who speaks, for the audit trail, where nothing is answered.
UNANSWERED = Unknown("somebody who is not answered")

log = logging.getLogger(__name__)


class Speakers:
    """The registry by which speakers are told from instances; one read serves all who wait."""

    def __init__(self, source: RegistrySource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._reading: dict[float, asyncio.Task[None]] = {}

    @property
    def known(self) -> Registry | None:
        """What was read last, however old; asks nobody."""
        return self._source.last.registry if self._source.last else None

    async def ask(self, by: Callable[[Registry | None], Ask], *, acts: bool) -> Ask:
        """What somebody asks, by a registry of the last minute; `acts` is whether it may change a
        host.

        An instance may have been merged since: of a program that is none yet, and of an operator
        who acts, the registry is of the last five seconds.
        """
        caller = by(self.known).caller
        is_new = caller is UNANSWERED or (acts and is_operator(caller))
        return by(await self._registry(AGAIN_SECONDS if is_new else KEPT_SECONDS))

    async def _registry(self, kept: float) -> Registry | None:
        """At most so many seconds old, or what is known where that can't be had; None where nothing
        is."""
        reading = self._reading.get(kept)
        if reading is None or reading.done():
            reading = self._reading[kept] = asyncio.create_task(self._read(kept))
        waiting = asyncio.ensure_future(self._clock.sleep(WITHIN_SECONDS))
        try:
            await asyncio.wait({reading, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        return self.known

    async def close(self) -> None:
        for reading in self._reading.values():
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading

    async def _read(self, kept: float) -> None:
        try:
            await self._source.get(kept)
        except FleetError as error:
            log.warning("fleet.speakers_unseen why=%s", error)


def doubted(caller: Caller, registry: Registry | None) -> bool:
    """Whether this operator may be an instance that no registry has told us of yet."""
    return registry is None and is_operator(caller)
