"""The command menu of the fleet's chats, with `fleet` added to whatever is there."""

import logging
from collections.abc import Iterable, Sequence

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
)
from telegram.constants import BotCommandLimit
from telegram.error import ChatMigrated, TelegramError

from clawbot.telegram.place import Places

FLEET = BotCommand("fleet", "status of the fleet; deploy <target> replaces a host")

log = logging.getLogger(__name__)


async def set_menus(telegram: Bot, places: Places, operators: Iterable[int]) -> None:
    """In each of the fleet's chats, and where an operator is alone with us."""
    for chat in (*places.ids, *operators):
        try:
            await _set_menu(telegram, chat)
        except ChatMigrated as moved:
            places.move(chat, moved.new_chat_id)
            await set_menus(telegram, Places([moved.new_chat_id]), ())
        except TelegramError as error:
            log.info("telegram.menu_not_set chat=%s why=%s", chat, error)


def merged(there: Sequence[BotCommand]) -> tuple[BotCommand, ...] | None:
    """What is there and `fleet`; None where it is there already, or there is no room."""
    if FLEET in there:
        return None
    others = [command for command in there if command.command != FLEET.command]
    if len(others) >= BotCommandLimit.MAX_COMMAND_NUMBER:
        return None
    return (*others, FLEET)


async def _set_menu(telegram: Bot, chat: int) -> None:
    commands = merged(await _seen_in(telegram, chat))
    if commands is not None:
        await telegram.set_my_commands(commands, scope=BotCommandScopeChat(chat))


async def _seen_in(telegram: Bot, chat: int) -> Sequence[BotCommand]:
    """The commands people see there now: a chat's own list hides every wider one."""
    wide = BotCommandScopeAllPrivateChats() if chat > 0 else BotCommandScopeAllGroupChats()
    scopes: tuple[BotCommandScope | None, ...] = (BotCommandScopeChat(chat), wide, None)
    for scope in scopes:
        commands = await telegram.get_my_commands(scope=scope)
        if commands:
            return commands
    return ()
