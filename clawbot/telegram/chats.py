"""Which chats are the fleet's."""

import logging
from collections.abc import Iterable

from telegram import Chat
from telegram.constants import ChatType

from fleet_control.caller import BotInstance, Caller, is_operator

log = logging.getLogger(__name__)


class FleetChats:
    """The fleet's chats by id; a group that became a supergroup is followed to its new id."""

    def __init__(self, chats: Iterable[int]) -> None:
        self._chats = set(chats)
        self._moved: dict[int, int] = {}

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(sorted({self.now(chat) for chat in self._chats}))

    def ours(self, chat: Chat, caller: Caller) -> bool:
        """Whether to answer there: in the fleet's chats, and where an operator is alone with us."""
        if chat.id in self._chats:
            return True
        known = isinstance(caller, BotInstance) or is_operator(caller)
        return chat.type == ChatType.PRIVATE and known

    def move(self, old: int, new: int) -> None:
        if old not in self._chats or self._moved.get(old) == new:
            return
        self._moved[old] = new
        self._chats.add(new)
        log.warning(
            "telegram.chat_moved said=%s",
            f"Chat {old} became the supergroup {new}; put {new} into CLAWBOT_TELEGRAM_CHATS, "
            f"and into CLAWBOT_TELEGRAM_FLEET_CHAT where that names {old}.",
        )

    def now(self, chat_id: int) -> int:
        """The id of a chat today."""
        return self._moved.get(chat_id, chat_id)
