"""What a bot sees of itself beside its fleet's preflight, and the reply that tells of all."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from clawbot import login
from clawbot.living_reply import LivingReply
from clawbot.replies import PreflightReport
from clawbot.settings import FLEET_CHANNELS, PREFIX, Settings
from fleet_control import phrases
from fleet_control.clock import Clock
from fleet_control.error import FleetError
from fleet_control.fleet import Fleet
from fleet_control.fleet_preflight import preflight
from fleet_control.look import Look
from fleet_control.preflight import Check, Point, hidden, ok, unseen, wrong
from fleet_control.registry_source import AGAIN_SECONDS

# What takes longer is said to be on its way.
MOMENT_SECONDS = 1.0
# A front that has not answered by then is told beside those that have, within a look's time.
FRONT_SECONDS = 8.0
_AGAIN = "Look again in a minute."

log = logging.getLogger(__name__)

See = Callable[[], Awaitable[Check]]


class BotPreflight:
    """Answers `/fleet preflight`."""

    def __init__(self, fleet: Fleet, settings: Settings, clock: Clock) -> None:
        self._fleet = fleet
        self._settings = settings
        self._clock = clock
        self._fronts: dict[str, See] = {}
        self._fleet_channels: dict[str, See] = {}

    def ask(self, front: str, see: See, fleet_channel: See | None = None) -> None:
        """Ask this from now on for what that front may in its channels, and for what it may in the
        fleet's, which is asked where one is named; without that nobody can see it now."""
        self._fronts[front] = see
        named = FLEET_CHANNELS.get(front.lower())
        if named is not None and not getattr(self._settings, named):
            fleet_channel = partial(_unnamed, front, named)
        self._fleet_channels[front] = fleet_channel or _fleet_channel_hidden

    async def answer(self, reply: LivingReply) -> PreflightReport:
        """Show what was found; before that, where it takes a while, that it is looked for."""
        looks = tuple(self._looks())
        speaks_as = f"chat:{self._settings.bot}"
        found = asyncio.ensure_future(preflight(self._fleet, self._clock, looks, speaks_as))
        moment = asyncio.ensure_future(self._clock.sleep(MOMENT_SECONDS))
        try:
            await asyncio.wait((found, moment), return_when=asyncio.FIRST_COMPLETED)
            if not found.done():
                await reply.show(PreflightReport(looked_at=len(Point)))
            return await reply.show(PreflightReport(await found))
        finally:
            for task in (found, moment):
                task.cancel()

    def _looks(self) -> Iterator[Look]:
        if self._settings.discord_token or self._settings.telegram_token:
            yield Look((Point.TOKENS,), self._tokens)
        fronts = {Point.CHANNELS: self._fronts, Point.FLEET_CHANNEL: self._fleet_channels}
        for point, sees in fronts.items():
            if sees:
                yield Look((point,), partial(self._of_fronts, point, sees))

    async def _of_fronts(self, point: Point, sees: Mapping[str, See]) -> Iterable[Check]:
        seeing = (self._of_front(point, front, see) for front, see in sees.items())
        return [_together(point, await asyncio.gather(*seeing))]

    async def _of_front(self, point: Point, front: str, see: See) -> Check:
        seeing = asyncio.ensure_future(see())
        over = asyncio.ensure_future(self._clock.sleep(FRONT_SECONDS))
        try:
            await asyncio.wait((seeing, over), return_when=asyncio.FIRST_COMPLETED)
            if not seeing.done():
                told = f"{front} did not answer in {FRONT_SECONDS:.0f} s."
                return wrong(point, told, _AGAIN)
            return seeing.result()
        except Exception as error:  # noqa: BLE001  (of whichever library speaks to it)
            kind = type(error).__name__
            log.warning("clawbot.rights_unseen front=%s why=%s", front, kind)
            return unseen(point, f"{front} could not be asked ({kind}).", _AGAIN)
        finally:
            for task in (seeing, over):
                task.cancel()

    async def _tokens(self) -> Iterable[Check]:
        try:
            registry = (await self._fleet.registry.get(AGAIN_SECONDS)).registry
        except FleetError as error:
            return [unseen(Point.TOKENS, f"The registry is not seen: {error}")]
        of = {
            "Discord": (self._settings.discord_token, registry.by_discord),
            "Telegram": (self._settings.telegram_token, registry.by_telegram),
        }
        for front, (token, agent_of) in of.items():
            secret = token.get_secret_value() if token else ""
            agent = agent_of(login.account(secret.encode()).decode(errors="replace"))
            if agent:
                return [_shared(front, agent)]
        return [ok(Point.TOKENS, "No instance speaks by an account of the bot's.")]


def _shared(front: str, agent: str) -> Check:
    return wrong(
        Point.TOKENS,
        f"By the registry the bot's own account in {front} speaks as `{agent}`.",
        f"Put the agent's own account into `{front.lower()}UserId` of the entry `{agent}`; if it "
        f"has that one, give the bot another with a token of its own "
        f"(`{PREFIX}{front.upper()}_TOKEN`).",
    )


def _together(point: Point, found: Sequence[Check]) -> Check:
    """The worst of them, and what others of its kind tell."""
    worst = min((one.outcome for one in found), key=list(phrases.MARKS).index)
    alike = [one for one in found if one.outcome is worst]
    told = " ".join(one.told for one in alike)
    advice = " ".join(dict.fromkeys(filter(None, (one.advice for one in alike))))
    return Check(point, worst, told, advice)


async def _unnamed(front: str, named: str) -> Check:
    return wrong(
        Point.FLEET_CHANNEL,
        f"No channel is told of the fleet in {front}.",
        f"Name one in `{PREFIX}{named.upper()}`.",
    )


async def _fleet_channel_hidden() -> Check:
    return hidden(Point.FLEET_CHANNEL)


def lacking(trouble: str, point: Point = Point.CHANNELS) -> Check:
    """The check of a sentence of ours that tells what is lacking, and behind that what to do."""
    for between in (": ", ". "):
        told, _, advice = trouble.rpartition(between)
        if told:
            return wrong(point, f"{told}.", f"{advice[:1].upper()}{advice[1:]}")
    return wrong(point, trouble, "The bot's log says more.")
