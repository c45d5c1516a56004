"""What is offered while a command's option is typed: targets and images, best match first."""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import SequenceMatcher
from functools import partial
from typing import Any

import discord
from discord import app_commands

from clawbot import wording
from clawbot.commands import OptionKind
from clawbot.discord import acknowledgement, limits
from clawbot.page import cut
from fleet_control.caller import ALL, is_target
from fleet_control.clock import Clock
from fleet_control.duration import older
from fleet_control.error import FleetError
from fleet_control.fleet import Fleet
from fleet_control.host import Image
from fleet_control.line import printable
from fleet_control.registry_source import AGAIN_SECONDS
from fleet_control.status import FleetStatus

# So long after another program chose what somebody was shown, they are asked what they meant.
DOUBTED_SECONDS = 900.0
# Discord gives up on an autocomplete after three seconds.
WAIT_SECONDS = 1.0
NEAR = 0.5

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Offer:
    """One choice: what is shown, and what it stands for."""

    shown: str
    value: str


class QuickStatus:
    """The fleet's status in at most a second: a stale one beats none."""

    def __init__(self, fleet: Fleet, clock: Clock) -> None:
        self._fleet = fleet
        self._clock = clock
        self._last: FleetStatus | None = None
        self._reading: asyncio.Task[None] | None = None

    async def status(self, target: str = "") -> FleetStatus | None:
        """Read anew where no instance's id begins as this target does."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(target))
        waiting = asyncio.ensure_future(self._clock.sleep(WAIT_SECONDS))
        try:
            await asyncio.wait({self._reading, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        return self._last

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading

    async def _read(self, target: str) -> None:
        registry = self._fleet.registry
        ids = (ALL, *registry.last.registry) if registry.last else ()
        try:
            if ids and is_target(target) and not any(id_.startswith(target) for id_ in ids):
                await registry.get(AGAIN_SECONDS)
            self._last = await self._fleet.status()
        except FleetError as error:
            log.warning("discord.choices_stale why=%s", error)


class OvertakenChoices:
    """Who was shown choices that are not ours, lately: another program with our token may have
    answered first, with what stands for something else."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[int, float] = {}

    async def send(self, interaction: discord.Interaction[Any], offered: list[Offer]) -> None:
        """Show these to whoever types."""
        choices = [app_commands.Choice(name=one.shown, value=one.value) for one in offered]
        answer = partial(interaction.response.autocomplete, choices)
        if not await acknowledgement.heard(interaction, answer):
            now = self._clock.monotonic()
            self._until = {one: until for one, until in self._until.items() if until > now}
            self._until[interaction.user.id] = now + DOUBTED_SECONDS

    def __contains__(self, user: int) -> bool:
        return self._until.get(user, 0.0) > self._clock.monotonic()


def offers(
    kind: OptionKind, typed: str, status: FleetStatus | None, now: float, known: Iterable[str] = ()
) -> list[Offer]:
    """What fits best what is typed; `known` are ids to offer where the status can't be had."""
    if kind is OptionKind.TARGET:
        return _best(typed, [*_targets(status, now, known)])
    return _best(typed, [_image(one, status, now) for one in status.images]) if status else []


def _targets(status: FleetStatus | None, now: float, known: Iterable[str]) -> Iterator[Offer]:
    """`all` and the ids."""
    if status is None:
        yield from (Offer(id_, id_) for id_ in (ALL, *known))
    else:
        count = len(status.registry)
        yield Offer(f"{ALL} · every host, {count} instances", ALL)
        yield from _instances(status, now)


def _instances(status: FleetStatus, now: float) -> Iterator[Offer]:
    for row in status.rows:
        if row.instance is not None:
            age = f", image {older(now - row.image.created)} old" if row.image else ""
            newest = ", newest" if row.is_newest else ""
            yield _offer(f"{row.id} · {wording.state(row)}{age}{newest}", row.id)


def _image(image: Image, status: FleetStatus, now: float) -> Offer:
    runs = [row.id for row in status.rows if row.host and row.host.image == image.id]
    more = f" +{len(runs) - 2}" if len(runs) > 2 else ""
    on = f" · on {', '.join(runs[:2])}{more}" if runs else " · on no host"
    day = datetime.fromtimestamp(image.created, UTC).strftime("%Y-%m-%d")
    return _offer(f"{image.id} · {day}, {older(now - image.created)} old{on}", image.id)


def _offer(shown: str, value: str) -> Offer:
    return Offer(cut(printable(shown), limits.CHOICE_NAME), value)


def _best(typed: str, offered: list[Offer]) -> list[Offer]:
    """The very one, what begins so, what has it in its id, what is said to have it.

    Where none does, what is most alike.
    """
    wanted = typed.strip().lower()
    found = [(rank, offer) for offer in offered if (rank := _rank(wanted, offer)) is not None]
    if not found:
        near = ((_likeness(wanted, offer), offer) for offer in offered)
        found = [(-likeness, offer) for likeness, offer in near if likeness > NEAR]
    return [offer for _, offer in sorted(found, key=lambda one: one[0])][: limits.CHOICES]


def _rank(wanted: str, offer: Offer) -> float | None:
    if not wanted or offer.value == wanted:
        return 0.0
    if offer.value.startswith(wanted):
        return 1.0
    if wanted in offer.value:
        return 2.0
    return 3.0 if wanted in offer.shown.lower() else None


def _likeness(wanted: str, offer: Offer) -> float:
    return SequenceMatcher(None, wanted[:64], offer.value).ratio()
