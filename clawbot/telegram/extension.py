"""`/fleet` in an application of python-telegram-bot's."""

import os
from collections.abc import Mapping
from typing import Any

from telegram import Message
from telegram.ext import (
    Application,
    BaseHandler,
    CallbackQueryHandler,
    MessageHandler,
    filters,
)

from clawbot.bot import Bot, assemble
from clawbot.settings import load
from clawbot.telegram.button_data import PATTERN
from clawbot.telegram.command import addressed
from clawbot.telegram.front import TelegramFront
from fleet_control.clock import SystemClock

GROUP = 0
# Of its own, so that whoever else waits for a group's move, or a topic's end, still hears of it.
MOVES = 7107

AnyApplication = Application[Any, Any, Any, Any, Any, Any]


class _SaidToUs(filters.MessageFilter):
    """A message that asks the bot that received it for something of ours."""

    def __init__(self, *, alone: bool) -> None:
        super().__init__()
        self._alone = alone

    def filter(self, message: Message) -> bool:
        bot = message.get_bot()
        return addressed(message, bot.username, bot.id, alone=self._alone)


def add_fleet(application: AnyApplication, environ: Mapping[str, str] = os.environ) -> None:
    """Give `/fleet` to this application, from its start (or now, if it runs) to its stop.

    It speaks by the application's own token and hears what that takes in: where the application
    limits its updates, `message` and `callback_query` must be among them. SettingsError has a
    sentence for each setting in `environ` that is missing or wrong; nothing is added then.
    """
    bot = assemble(load(environ), SystemClock())
    front = TelegramFront(bot, application.bot)
    add_handlers(application, front, alone=False)
    _begin_and_end_with(application, front, bot)


def add_handlers(application: AnyApplication, front: TelegramFront, *, alone: bool) -> None:
    """For new messages and our own buttons only; `alone` is whether all that is said to its bot is
    said to us.

    They come first in the default group, whose others don't hear what they take: one that answers
    any unknown command would answer `/fleet` too. Every other group hears what it always heard.
    """
    ours: list[BaseHandler[Any, Any, Any]] = [
        # An edited message would be another kind of update: it is not one that says anything.
        MessageHandler(filters.UpdateType.MESSAGE & _SaidToUs(alone=alone), front.hear),
        CallbackQueryHandler(front.press, pattern=PATTERN),
    ]
    application.add_handlers(ours, GROUP)
    application.handlers[GROUP].sort(key=lambda one: one not in ours)
    moved = filters.UpdateType.MESSAGE & filters.StatusUpdate.MIGRATE
    application.add_handler(MessageHandler(moved, front.move), MOVES)
    topics = filters.StatusUpdate.FORUM_TOPIC_CLOSED | filters.StatusUpdate.FORUM_TOPIC_REOPENED
    shut = filters.UpdateType.MESSAGE & topics
    application.add_handler(MessageHandler(shut, front.hear_of_topic), MOVES)


def _begin_and_end_with(application: AnyApplication, front: TelegramFront, bot: Bot) -> None:
    """By its own `start` and `stop`, which every way to run it calls.

    `post_init` and its like are not for us: each is one function, the host's, and an application
    that is started by hand calls none of them.
    """
    kind = type(application)

    async def start(self: AnyApplication) -> None:
        await kind.start(self)
        front.begin()

    async def stop(self: AnyApplication) -> None:
        try:
            await kind.stop(self)
        finally:
            await front.close()
            await bot.__aexit__()

    living = {"__slots__": (), "start": start, "stop": stop}
    application.__class__ = type(kind.__name__, (kind,), living)
    if application.running:
        front.begin()
