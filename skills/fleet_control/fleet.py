"""The fleet as the bot and the skill ask about it: its status, and the policy's verdicts."""

import asyncio
import logging
from collections.abc import Awaitable
from contextlib import suppress
from math import floor
from typing import TypeVar

from fleet_control.bot_record import BotRecord, record
from fleet_control.caller import ALL, BotInstance, Caller, is_target
from fleet_control.clock import Clock
from fleet_control.control_api import ControlApi
from fleet_control.deployed import Deployed
from fleet_control.deployed_source import DeployedSource
from fleet_control.ec2 import Ec2Reader
from fleet_control.error import ControlApiError, Ec2Error, RegistryError, RegistryUnread
from fleet_control.freeze import Freeze
from fleet_control.holds import Holds, HoldsSource
from fleet_control.host import Reading
from fleet_control.ledger import IMAGE, Job, Run, unfinished
from fleet_control.policy import (
    Allowed,
    Facts,
    RefusalCode,
    Refused,
    Verdict,
    first_look,
    judge,
    refused_first,
)
from fleet_control.registry_source import AGAIN_SECONDS, KnownRegistry, RegistrySource, unread
from fleet_control.status import FleetStatus, shape

# As far back as a bot's last deploy still counts, at a dozen deploys an hour.
RUNS_LOOKED_AT = 30
# Of so many of them the jobs are asked for, where those decide: the run asks for more.
JOBS_LOOKED_AT = 2

log = logging.getLogger(__name__)

T = TypeVar("T")


class Fleet:
    """The registry, EC2 and the Control API together.

    `carrier` is the instance whose host carries the one who asks; `operators_set` whether anybody
    may deploy at all.
    """

    def __init__(
        self,
        registry: RegistrySource,
        ec2: Ec2Reader,
        api: ControlApi,
        clock: Clock,
        *,
        carrier: str = "",
        operators_set: bool = True,
    ) -> None:
        self.registry = registry
        self.ec2 = ec2
        self.api = api
        self._clock = clock
        self.carrier = carrier
        self.operators_set = operators_set
        self._holds = HoldsSource(api.holds, clock)
        self.deploys = DeployedSource(api, clock)
        self._shaped: tuple[KnownRegistry, Reading, Deployed, FleetStatus] | None = None

    async def status(self) -> FleetStatus:
        """The registry beside what EC2 shows; RegistryError or Ec2Error where one can't be had."""
        known, reading = await asyncio.gather(self.registry.get(), self.ec2.read())
        return self._shape(known, reading)

    async def hosts(self) -> FleetStatus:
        """The same, or EC2's hosts alone where there is no registry; Ec2Error.

        What the last deploys left is shown as far as it is known, and asked for beside.
        """
        try:
            status = await self.status()
            self.deploys.look_beside()
            return status
        except RegistryError as error:
            log.warning("fleet.registry_unseen why=%s", error)
            return shape(unread(error, self._clock.now()), await self.ec2.read())

    async def looked_up(self, seconds: float) -> FleetStatus:
        """The same, with what the last deploys left, for which it waits so long; Ec2Error."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.deploys.look(), seconds)
        return await self.hosts()

    async def close(self) -> None:
        await self.deploys.close()

    async def holds(self) -> Holds:
        """What holds the fleet, as it was a few seconds ago at the most."""
        return await self._holds.get()

    async def freeze(
        self, seconds: int, reason: str, requested_by: str, request_id: str = ""
    ) -> tuple[Freeze, Freeze | None]:
        """Let no deploy begin for so long; the freeze that holds then, and the one before it."""
        begun = await self.api.freeze(seconds, reason, requested_by, request_id)
        self._holds.forget()
        return begun

    async def unfreeze(self, requested_by: str, request_id: str = "") -> Freeze | None:
        """End the freeze; the one that held, if one did."""
        lifted = await self.api.unfreeze(requested_by, request_id)
        self._holds.forget()
        return lifted

    def _shape(self, known: KnownRegistry, reading: Reading) -> FleetStatus:
        """Many who ask at once share one reading; for a fleet of 500 its shape is worth sharing."""
        kept, ledger = self._shaped, self.deploys.known
        parts = (known, reading, ledger)
        if kept is None or any(one is not other for one, other in zip(kept, parts, strict=False)):
            kept = self._shaped = (*parts, shape(*parts))
        return kept[3]

    async def judge(self, caller: Caller, target: str, image_or_commit: str) -> Verdict:
        """The policy's verdict, by what can be seen from here; a freeze that the caller may
        override is worth a question."""
        return first_look(
            caller, target, image_or_commit, await self.facts(caller, target, image_or_commit)
        )

    async def judge_yes(
        self, caller: Caller, target: str, image_or_commit: str, override: str, put: float
    ) -> Verdict:
        """The same of an answer to a question that was put then, in Unix seconds by our clock.

        A freeze that came later it did not say: that is overridden by no yes to it. One that is
        over is not overridden either, nor is another that may come before the run's turn.
        """
        facts = await self.facts(caller, target, image_or_commit)
        if facts.frozen and facts.frozen.since + floor(self.api.ahead) > put:
            override = ""
        verdict = judge(caller, target, image_or_commit, facts, override=override)
        if not (override and isinstance(verdict, Allowed)):
            return verdict
        holds = await self._holds.get()
        return verdict._replace(override=override if holds.freeze or holds.unseen else "")

    async def facts(self, caller: Caller, target: str, image_or_commit: str) -> Facts:
        """The facts that decide the verdict and no more, the cheapest first.

        A refusal that what is already known decides asks nobody anything. What can't be read is
        left out, and logged: the run judges again. RegistryError where the registry is not valid
        at its source: no run could go by it.
        """
        facts = Facts(
            asked_later=True,
            carrier=self.carrier,
            operators_set=self.operators_set,
            now=self._clock.now(),
        )
        if _decided_anyway(caller, target, image_or_commit, facts):
            return facts
        known = await self._registry(target)
        facts = _with_ids(facts, known, target)
        if not target or isinstance(judge(caller, target, image_or_commit, facts), Refused):
            return facts
        reading, holds = await asyncio.gather(
            self._reading(image_or_commit), self._holds.get(kept=0.0)
        )
        facts = facts._replace(frozen=holds.freeze)
        if reading and known:
            status = self._shape(known, reading)
            images = frozenset(image.id for image in status.images)
            facts = facts._replace(images=images, conditions=status.conditions)
        if not isinstance(caller, BotInstance) or refused_first(
            caller, target, image_or_commit, facts
        ):
            return facts
        runs = await _seen("runs", self.api.runs(limit=RUNS_LOOKED_AT)) or ()
        facts = _with_runs(facts, caller, runs)
        if refused_first(caller, target, image_or_commit, facts):
            return facts
        return (await self._record(target, runs, facts.now)).told(facts)

    async def _registry(self, target: str) -> KnownRegistry | None:
        """As it was read last, unless by that the target would be refused: then read anew."""
        try:
            known = await self.registry.get()
            missing = is_target(target) and target not in (ALL, *known.registry)
            if target and (missing or known.problems):
                known = await self.registry.get(AGAIN_SECONDS)
        except RegistryUnread as error:
            if target and error.invalid:
                raise RegistryError(list(error.invalid)) from error
            log.warning("fleet.registry_unseen why=%s", error)
            return None
        if target and known.problems:
            raise RegistryError(list(known.problems))
        return known

    async def _reading(self, image_or_commit: str) -> Reading | None:
        """The same of EC2, and of the image that is named."""
        reading = await _seen("ec2", self.ec2.read())
        listed = {image.id for image in reading.images} if reading else ()
        if reading is None or not image_or_commit.startswith(IMAGE) or image_or_commit in listed:
            return reading
        return await _seen("ec2", self.ec2.read_anew())

    async def _record(self, target: str, runs: tuple[Run, ...], now: float) -> BotRecord:
        jobs: dict[int, tuple[Job, ...]] = {}
        found = record(target, runs, now, jobs)
        while (run := found.open or found.doubt) and len(jobs) < JOBS_LOOKED_AT:
            try:
                jobs[run.id] = (await self.api.run(run.id)).jobs
            except ControlApiError as error:
                log.warning("fleet.jobs_unseen run=%s why=%s", run.id, error)
                break
            found = record(target, runs, now, jobs)
        return found


async def _seen(what: str, reading: Awaitable[T]) -> T | None:
    """What was read, or None where that can't be."""
    try:
        return await reading
    except (RegistryError, Ec2Error, ControlApiError) as error:
        log.warning("fleet.unseen what=%s why=%s", what, error)
        return None


def _decided_anyway(caller: Caller, target: str, image_or_commit: str, facts: Facts) -> bool:
    """Whether it is refused whatever the registry holds.

    That a target is unknown is not: the sentence names the nearest id.
    """
    verdict = judge(caller, target, image_or_commit, facts)
    return isinstance(verdict, Refused) and verdict.code is not RefusalCode.UNKNOWN_TARGET


def _with_ids(facts: Facts, known: KnownRegistry | None, target: str) -> Facts:
    """The ids, unless they are old and would call the target unknown."""
    if known is None or not (known.fresh or not target or target in (*known.registry, ALL)):
        return facts
    return facts._replace(ids=known.registry.ids)


def _with_runs(facts: Facts, bot: BotInstance, runs: tuple[Run, ...]) -> Facts:
    own = unfinished(runs, bot.instance)
    return facts._replace(
        unfinished=own[0].url if own else "",
        waiting=sum(run.status not in ("in_progress", "completed") for run in runs),
    )
