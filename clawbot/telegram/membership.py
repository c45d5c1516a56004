"""In which of the fleet's chats the bot can't speak, and what to do about it in a sentence."""

import asyncio
import logging
from collections.abc import Callable

from telegram import Bot, ChatMember, ChatMemberRestricted, Update
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken

from clawbot.preflight import lacking
from clawbot.telegram.chats import FleetChats
from clawbot.telegram.polling import TOKEN_REFUSED
from fleet_control.clock import Clock
from fleet_control.preflight import Check, Point, ok

# Between two looks. Telegram tells of a change by itself, but not of what a group allows to all.
LOOK_SECONDS = 300.0
PUT_OUT = "I am not in the chat {chat}: add me to it, or take it out of CLAWBOT_TELEGRAM_CHATS."
SILENCED = "I may not write in the chat {chat}: allow it there."
_GONE = (ChatMember.LEFT, ChatMember.BANNED)

log = logging.getLogger(__name__)


class Memberships:
    """`lacks` is told in which chats we can't speak, in a sentence each; nothing once in none."""

    def __init__(
        self, telegram: Bot, chats: FleetChats, clock: Clock, lacks: Callable[[str], None]
    ) -> None:
        self._telegram = telegram
        self._chats = chats
        self._clock = clock
        self._lacks = lacks
        self._lacking: dict[int, str] = {}
        self._events = 0

    async def watch(self) -> None:
        """Look into each chat from time to time, until cancelled."""
        while True:
            for chat in self._chats.ids:
                await self._look(chat)
            await self._clock.sleep(LOOK_SECONDS)

    async def hear(self, update: Update, _context: object = None) -> None:
        """What became of us in a chat, as Telegram tells it."""
        news = update.my_chat_member
        if news is not None and news.chat.id in self._chats.ids:
            self._events += 1
            self._note(news.chat.id, lack(news.new_chat_member))

    async def _look(self, chat: int) -> None:
        events = self._events
        try:
            found = await lack_in(self._telegram, chat)
        except ChatMigrated as moved:
            self._chats.move(chat, moved.new_chat_id)
        except Exception as error:  # noqa: BLE001  (an answer may be of no form of Telegram's)
            log.info("telegram.chat_not_seen chat=%s why=%s", chat, type(error).__name__)
        else:
            if events == self._events:  # else what we asked may be older than what we were told
                self._note(chat, found)

    def _note(self, chat: int, found: str) -> None:
        self._lacking[chat] = found.format(chat=chat)
        ours = filter(None, map(self._lacking.get, self._chats.ids))
        self._lacks(" ".join(ours))


async def rights(telegram: Bot, chats: FleetChats) -> Check:
    """Whether the bot may speak in each of the fleet's chats."""
    try:
        found = await asyncio.gather(*(_lack_now(telegram, chats, chat) for chat in chats.ids))
    except InvalidToken:
        return lacking(TOKEN_REFUSED)
    if lacks := " ".join(filter(None, found)):
        return lacking(lacks)
    count = len(chats.ids)
    where = f"in {count} group{'s' if count != 1 else ''} and " if count else ""
    privacy = "off" if telegram.can_read_all_group_messages else "on"
    told = (
        f"In Telegram the bot may write {where}alone with operators; its privacy mode is {privacy}."
    )
    return ok(Point.CHANNELS, told)


async def _lack_now(telegram: Bot, chats: FleetChats, chat: int) -> str:
    try:
        return (await lack_in(telegram, chat)).format(chat=chat)
    except ChatMigrated as moved:
        chats.move(chat, moved.new_chat_id)
        return await _lack_now(telegram, chats, moved.new_chat_id)


async def lack_in(telegram: Bot, chat: int) -> str:
    """What keeps us from speaking there, the chat's id to be filled in; ChatMigrated."""
    try:
        me = await telegram.get_chat_member(chat, telegram.id)
        if (found := lack(me)) or me.status != ChatMember.MEMBER:
            return found
        allowed = (await telegram.get_chat(chat)).permissions
    except (BadRequest, Forbidden):
        return PUT_OUT
    return SILENCED if allowed and allowed.can_send_messages is False else ""


def lack(me: ChatMember) -> str:
    """What keeps us from speaking in a chat where we are this; its id is to be filled in."""
    if me.status in _GONE:
        return PUT_OUT
    if isinstance(me, ChatMemberRestricted):
        if not me.is_member:
            return PUT_OUT
        return "" if me.can_send_messages else SILENCED
    return ""
