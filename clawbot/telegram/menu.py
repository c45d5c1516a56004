"""The command menu of the fleet's chats, with `fleet` added to whatever is there.

Telegram shows the first list that is set, in this order: a member's, the administrators' of the
chat, the chat's, all administrators', all groups' (alone with somebody: all private chats'), the
default; and of each the one in the reader's language before the one for all. A chat's own list so
hides all those after it, and is made of what people saw until then.

Not followed: a list in one language, which the chat's own hides too (Telegram does not tell in
which languages there are any, and to ask for each would be hundreds of calls a chat); and a wider
list that somebody changes later. Who sees a member's list, or the chat's in one language, sees no
`fleet` there.
"""

import logging
from collections.abc import Iterable, Sequence

from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeChatAdministrators,
)
from telegram.constants import BotCommandLimit
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError

from clawbot.commands import COMMANDS
from clawbot.patience import WORK_AGAIN
from clawbot.telegram.chats import FleetChats
from clawbot.telegram.outbox import seconds
from fleet_control.clock import Clock

FLEET = BotCommand("fleet", "; ".join(command.syntax for command in COMMANDS))

log = logging.getLogger(__name__)


async def set_menus(
    telegram: Bot, chats: FleetChats, operators: Iterable[int], clock: Clock
) -> None:
    """In each of the fleet's chats, and where an operator is alone with us.

    Where the network or flood control is in the way it is tried again, later each time.
    """
    left = (*chats.ids, *operators)
    for pause in WORK_AGAIN.pauses():
        waits = {chat: wait for chat in left if (wait := await _tried(telegram, chats, chat))}
        if not waits:
            return
        await clock.sleep(max(pause, *waits.values()))
        left = tuple(waits)


async def _tried(telegram: Bot, chats: FleetChats, chat: int) -> float:
    """Set the menu there; how many seconds to wait at least before the next try, 0 for none."""
    try:
        await _set_menu(telegram, chats.now(chat))
    except ChatMigrated as moved:
        chats.move(chat, moved.new_chat_id)
        return WORK_AGAIN.first
    except (BadRequest, Forbidden) as error:
        log.info("telegram.menu_not_set chat=%s why=%s", chat, error)
        return 0.0
    except TelegramError as error:
        log.info("telegram.menu_not_set_yet chat=%s why=%s", chat, error)
        asked = seconds(error.retry_after) if isinstance(error, RetryAfter) else 0.0
        return max(asked, WORK_AGAIN.first)
    return 0.0


def merged(there: Sequence[BotCommand]) -> tuple[BotCommand, ...] | None:
    """What is there and `fleet`; None where it is there already, or there is no room."""
    if FLEET in there:
        return None
    others = [command for command in there if command.command != FLEET.command]
    if len(others) >= BotCommandLimit.MAX_COMMAND_NUMBER:
        return None
    return (*others, FLEET)


async def _set_menu(telegram: Bot, chat: int) -> None:
    own = await telegram.get_my_commands(BotCommandScopeChat(chat))
    wide = BotCommandScopeAllPrivateChats() if chat > 0 else BotCommandScopeAllGroupChats()
    seen = own or await telegram.get_my_commands(wide) or await telegram.get_my_commands()
    commands = merged(seen)
    if chat < 0:
        await _set_for_administrators(telegram, chat, hides=bool(commands) and not own)
    if commands:
        await telegram.set_my_commands(commands, BotCommandScopeChat(chat))


async def _set_for_administrators(telegram: Bot, chat: int, *, hides: bool) -> None:
    """Before the chat's own list `hides` all administrators', theirs is made of it."""
    scope = BotCommandScopeChatAdministrators(chat)
    own = await telegram.get_my_commands(scope)
    hidden: Sequence[BotCommand] = ()
    if hides and not own:
        hidden = await telegram.get_my_commands(BotCommandScopeAllChatAdministrators())
    if own or hidden:
        # Where there is no room for ours, theirs is kept all the same.
        commands = merged(own or hidden) or hidden
        if commands:
            await telegram.set_my_commands(commands, scope)
