"""What is offered while a command's option is typed: targets, images, runs; best match first."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import SequenceMatcher
from functools import partial
from typing import Any, Generic, TypeVar

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
from fleet_control.history import brief
from fleet_control.host import Image
from fleet_control.ledger import Run
from fleet_control.line import printable
from fleet_control.registry_source import AGAIN_SECONDS
from fleet_control.status import FleetStatus

# So long after another program chose what somebody was shown, they are asked what they meant.
DOUBTED_SECONDS = 900.0
# Discord gives up on an autocomplete after three seconds.
WAIT_SECONDS = 1.0
NEAR = 0.5

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Offer:
    """One choice: what is shown, and what it stands for."""

    shown: str
    value: str | int


class QuickRead(Generic[T]):
    """What `read` gives, waited for a second at most: a stale answer beats none."""

    def __init__(self, read: Callable[[str], Awaitable[T]], clock: Clock) -> None:
        """`read` is handed what is typed; a FleetError of its leaves the answer before."""
        self._read = read
        self._clock = clock
        self._last: T | None = None
        self._reading: asyncio.Task[None] | None = None

    async def get(self, typed: str = "") -> T | None:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._renew(typed))
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

    async def _renew(self, typed: str) -> None:
        try:
            self._last = await self._read(typed)
        except FleetError as error:
            log.warning("discord.choices_stale why=%s", error)


class Choices:
    """What one fleet has to choose from."""

    def __init__(self, fleet: Fleet, clock: Clock) -> None:
        self._fleet = fleet
        self._clock = clock
        self._status = QuickRead(self._read_status, clock)
        self._runs = QuickRead(self._read_runs, clock)

    async def begin(self) -> None:
        """Look, so that the first who types need not wait."""
        await self._status.get()

    async def offers(self, kind: OptionKind, typed: str) -> list[Offer]:
        now = self._clock.now()
        if kind is OptionKind.RUN:
            return runs(typed, await self._runs.get() or (), now)
        named = typed if kind is OptionKind.TARGET else ""
        status, known = await self._status.get(named), self._fleet.registry.last
        return offers(kind, typed, status, now, known.registry.ids if known else ())

    async def close(self) -> None:
        await self._status.close()
        await self._runs.close()

    async def _read_status(self, target: str) -> FleetStatus:
        """Read anew where no instance's id begins as this target does."""
        registry = self._fleet.registry
        ids = (ALL, *registry.last.registry) if registry.last else ()
        if ids and is_target(target) and not any(id_.startswith(target) for id_ in ids):
            await registry.get(AGAIN_SECONDS)
        return await self._fleet.status()

    async def _read_runs(self, _: str) -> tuple[Run, ...]:
        return await self._fleet.api.runs(limits.CHOICES)


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


def runs(typed: str, found: Iterable[Run], now: float) -> list[Offer]:
    """The runs that fit best what is typed, newest first among equals."""
    return _best(typed, [_offer(f"{run.id} · {brief(run, now)}", run.id) for run in found])


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


def _offer(shown: str, value: str | int) -> Offer:
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
    value = str(offer.value)
    if not wanted or value == wanted:
        return 0.0
    if value.startswith(wanted):
        return 1.0
    if wanted in value:
        return 2.0
    return 3.0 if wanted in offer.shown.lower() else None


def _likeness(wanted: str, offer: Offer) -> float:
    return SequenceMatcher(None, wanted[:64], str(offer.value)).ratio()
