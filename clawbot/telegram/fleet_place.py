"""The group, or its topic, that the settings name for the fleet: whether we can tell it there."""

import logging

from telegram import Bot, ChatMember, Message
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken

from clawbot.patience import WORK_AGAIN
from clawbot.preflight import lacking
from clawbot.settings import PREFIX
from clawbot.telegram.chats import FleetChats
from clawbot.telegram.markup import LONGEST
from clawbot.telegram.membership import lack_in
from fleet_control.clock import Clock
from fleet_control.preflight import Check, Point, hidden, ok

NAMED, CALLS = f"{PREFIX}TELEGRAM_FLEET_CHAT", f"{PREFIX}TELEGRAM_FLEET_CALLS"
NO_TOPIC = "The chat {chat} has no topic {topic}: set " + NAMED + " to one that it has."
CLOSED = (
    "The topic {topic} of the chat {chat} is closed: open it, or let " + NAMED + " name another."
)
STRANGERS = "{users} not in the chat {chat}: add them, or take them out of " + CALLS + "."
# A forum's first topic, which no message may name.
_GENERAL = 1
_NO_TOPIC_WORDS = (
    "thread not found",
    "topic_deleted",
    "topic_id_invalid",
    "message_thread_invalid",
)
_STRANGER_WORDS = (
    "user not found",
    "member not found",
    "participant_id_invalid",
    "user_id_invalid",
)
_OUT = (ChatMember.LEFT, ChatMember.BANNED)

log = logging.getLogger(__name__)


class TelegramFleetPlace:
    """`named` is as the settings have it; `names` is filled with the names of the `calls`.

    Attributes:
        topic: None for the whole group, and for a forum's first one.
        trouble: what keeps us from telling anything there, as far as is known, and what to do about
            it in a sentence; empty for nothing.
    """

    def __init__(
        self,
        telegram: Bot,
        chats: FleetChats,
        named: str,
        calls: tuple[int, ...],
        names: dict[int, str],
    ) -> None:
        chat, _, topic = named.partition("/")
        self.topic = int(topic) if topic and int(topic) != _GENERAL else None
        self.trouble = ""
        self._strangers = ""
        self._telegram = telegram
        self._chats = chats
        self._chat = int(chat)
        self._calls = calls
        self._names = names

    @property
    def chat(self) -> int:
        """The group's id today."""
        return self._chats.now(self._chat)

    async def begin(self, clock: Clock) -> None:
        """Look once, as soon as Telegram answers: what is to be told meanwhile can't be, and by
        which id the group is known may be news."""
        for pause in WORK_AGAIN.pauses():
            try:
                await self._look()
                break
            except Exception as error:  # noqa: BLE001  (an answer may be of no form of Telegram's)
                log.info("telegram.fleet_chat_not_seen why=%s", type(error).__name__)
            await clock.sleep(pause)

    async def check(self) -> Check:
        """What a preflight tells of it."""
        try:
            await self._look()
        except InvalidToken:
            return hidden(Point.FLEET_CHANNEL)
        if trouble := self.trouble or self._strangers:
            return lacking(trouble, Point.FLEET_CHANNEL)
        where = f"the topic {self.topic} of the chat" if self.topic else "the chat"
        who = ", ".join(self._names.get(one, str(one)) for one in self._calls) or "nobody"
        told = f"In Telegram the bot tells {where} {self.chat}, and calls {who} for failures."
        return ok(Point.FLEET_CHANNEL, told)

    def hear(self, message: Message) -> None:
        """The topic was closed, or opened again."""
        place = (message.chat.id, message.message_thread_id)
        if self.topic is not None and place == (self.chat, self.topic):
            self._become(self._filled(CLOSED) if message.forum_topic_closed else "")

    def took(self, topic: int | None) -> None:
        """A new message arrived in that topic; of one that is gone Telegram may not tell, and put
        the message into the first one."""
        self._become("" if topic == self.topic else self._filled(NO_TOPIC))

    def refused(self, error: BaseException | None) -> None:
        """A new message did not arrive."""
        if trouble := _of_topic(error):
            self._become(self._filled(trouble))

    async def _look(self) -> None:
        try:
            lacks = await lack_in(self._telegram, self.chat)
        except ChatMigrated as moved:
            self._chats.move(self.chat, moved.new_chat_id)
            await self._look()
            return
        self._become(self._filled(lacks or await self._lack_of_topic()))
        if not self.trouble:
            await self._look_at_calls()

    async def _lack_of_topic(self) -> str:
        """Seen without a word in it: Telegram looks for the topic before it finds a text too long.

        It tells so of one that is closed only who says something there.
        """
        if self.topic is None:
            return ""
        try:
            await self._telegram.send_message(
                self.chat, "x" * (LONGEST + 1), message_thread_id=self.topic
            )
        except BadRequest as error:
            was_closed = self.trouble == self._filled(CLOSED)
            return _of_topic(error) or (CLOSED if was_closed else "")
        return ""

    async def _look_at_calls(self) -> None:
        strangers = [one for one in self._calls if not await self._is_there(one)]
        told = ""
        if strangers:
            who, verb = ", ".join(map(str, strangers)), "is" if len(strangers) == 1 else "are"
            told = STRANGERS.format(users=f"{who} {verb}", chat=self.chat)
        if told and told != self._strangers:
            log.warning("telegram.fleet_chat said=%s", told)
        self._strangers = told

    async def _is_there(self, user: int) -> bool:
        """Whether a call reaches them, as far as Telegram shows; they are named from now on."""
        try:
            found = await self._telegram.get_chat_member(self.chat, user)
        except (BadRequest, Forbidden) as error:
            # To a bot that is no administrator Telegram need not show others at all.
            return not _says(str(error).lower(), _STRANGER_WORDS)
        self._names[user] = found.user.full_name
        return found.status not in _OUT

    def _filled(self, words: str) -> str:
        return words.format(chat=self.chat, topic=self.topic)

    def _become(self, trouble: str) -> None:
        if trouble != self.trouble:
            said = trouble or "The fleet's channel can be told again."
            log.warning("telegram.fleet_chat said=%s", said)
        self.trouble = trouble


def _of_topic(error: BaseException | None) -> str:
    """What is wrong with a topic by what Telegram refuses a message for."""
    words = str(error).lower()
    if "topic_closed" in words:
        return CLOSED
    return NO_TOPIC if _says(words, _NO_TOPIC_WORDS) else ""


def _says(words: str, any_of: tuple[str, ...]) -> bool:
    return any(one in words for one in any_of)
