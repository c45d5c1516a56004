"""Handlers that give `/fleet` to any python-telegram-bot application."""

from collections.abc import Sequence
from typing import Any

from telegram import Message
from telegram.ext import BaseHandler, CallbackQueryHandler, MessageHandler, filters

from clawbot.telegram.button import PATTERN
from clawbot.telegram.command import addressed
from clawbot.telegram.front import Front

# Of its own, so that whoever else waits for a group's move still hears of it.
MOVES = 7107


class _ToUs(filters.MessageFilter):
    """A message that says `/fleet` to the bot that received it."""

    def filter(self, message: Message) -> bool:
        bot = message.get_bot()
        return addressed(message, bot.username, bot.id)


def handlers(front: Front) -> dict[int, Sequence[BaseHandler[Any, Any, Any]]]:
    """For `Application.add_handlers`: by group, and for new messages and our own buttons only.

    Whoever adds them starts `front.resume()` beside the application, for replies that a
    predecessor left, and calls `front.close()` when it has stopped.
    """
    return {
        0: [
            # An edited message would be another kind of update: it is not one that says anything.
            MessageHandler(filters.UpdateType.MESSAGE & _ToUs(), front.hear),
            CallbackQueryHandler(front.press, pattern=PATTERN),
        ],
        MOVES: [
            MessageHandler(filters.UpdateType.MESSAGE & filters.StatusUpdate.MIGRATE, front.move)
        ],
    }
