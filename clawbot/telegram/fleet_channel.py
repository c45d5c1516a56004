"""The fleet's channel in Telegram: where we speak without having been asked."""

import logging
from collections.abc import Iterator

from telegram.error import TelegramError

from clawbot.living_reply import BEGUN_WITHIN_SECONDS, NoPlace
from clawbot.telegram.buttons import DrawnText, Origin, TelegramDrawing
from clawbot.telegram.chats import FleetChats
from clawbot.telegram.fleet_messages import is_supergroup, message_link, pointing
from clawbot.telegram.fleet_place import TelegramFleetPlace
from clawbot.telegram.outbox import REFUSED, Outbox, SentMessage
from clawbot.telegram.reply import TelegramMessage
from clawbot.telegram.speaker import PLATFORM
from fleet_control.clock import Clock

_CLOSED = "it is closed to us"

log = logging.getLogger(__name__)


class TelegramFleetChannel:
    """A `FleetChannel`. A group that becomes a supergroup keeps the name that the settings have, by
    which the control table knows it.

    Attributes:
        place: whether it can be told, and what to do where it can't.
    """

    platform = PLATFORM

    def __init__(
        self,
        outbox: Outbox,
        drawing: TelegramDrawing,
        clock: Clock,
        chats: FleetChats,
        place: TelegramFleetPlace,
        named: str,
        calls: tuple[int, ...] = (),
    ) -> None:
        self.name = f"{PLATFORM}:{named}"
        self.calls = tuple(f"{PLATFORM}:{one}" for one in calls)
        self._outbox = outbox
        self._drawing = drawing
        self._clock = clock
        self._chats = chats
        self.place = place
        # Elsewhere than in a supergroup another bot's number is one of a message of ours.
        self._is_numbered_alike = is_supergroup(int(named.partition("/")[0]))

    def message(self, id_: str = "", answers: str = "") -> TelegramMessage:
        answered = int(answers or 0) if self._is_numbered_alike else 0
        origin = Origin(self.place.chat, answered, topic=self.place.topic)
        said = (self._outbox, self._drawing, self._clock, origin)
        return _FleetMessage(self.place, *said, left=int(id_ or 0))

    async def point(self, asked_in: str, dead_reply: str, to: str) -> bool:
        """As `FleetChannel` has it; what was asked alone with the other bot is theirs."""
        numbers = (asked_in.removeprefix("-"), dead_reply, to)
        chat = self._chats.now(int(asked_in)) if all(map(str.isdecimal, numbers)) else 0
        if chat not in self._chats.ids:
            log.info("telegram.not_pointed chat=%s reply=%s why=%s", asked_in, dead_reply, _CLOSED)
            return True
        here, told = self.place.chat, int(to)
        is_known = is_supergroup(chat) and str(chat) == asked_in
        url, below_it = message_link(here, self.place.topic, told), chat == here
        answered = int(dead_reply) if is_known else told if below_it else None
        drawn = DrawnText(pointing(url, below_it=below_it))
        try:
            await self._outbox.send(chat, drawn, answered, BEGUN_WITHIN_SECONDS, first=True)
        except TelegramError as error:
            log.info("telegram.not_pointed chat=%s reply=%s why=%s", asked_in, dead_reply, error)
            return isinstance(error, REFUSED)
        return True


class _FleetMessage(TelegramMessage):
    """A message there; what is told in the fleet's channel is told in no other."""

    def __init__(
        self,
        place: TelegramFleetPlace,
        outbox: Outbox,
        drawing: TelegramDrawing,
        clock: Clock,
        origin: Origin,
        left: int,
    ) -> None:
        super().__init__(outbox, drawing, clock, origin, stands=False, left=left)
        self._place = place

    def _places(
        self,
        answers: int | None,
        asker: str,  # noqa: ARG002  (nobody's place)
    ) -> Iterator[tuple[int, int | None, int | None]]:
        yield self._chat, self._topic, answers

    async def _said(
        self, drawn: DrawnText, within: float | None, answers: int | None, asker: str = ""
    ) -> tuple[SentMessage, int | None]:
        try:
            sent, topic = await super()._said(drawn, within, answers, asker)
        except NoPlace as refused:
            self._place.refused(refused.__cause__)
            raise
        self._place.took(sent.topic)
        return sent, topic
