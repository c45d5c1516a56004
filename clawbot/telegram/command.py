"""Which messages are for us, and which words they say."""

import re

from telegram import Message
from telegram.constants import ChatType

from clawbot.words import COMMAND, read

_FIRST = re.compile(rf"{COMMAND}(?:@(?P<to>\w+))?\b", re.IGNORECASE)


def addressed(message: Message, username: str, bot_id: int) -> bool:
    """Whether a message says `/fleet` to this bot.

    In a group, where several bots may sit, that is `/fleet@thisbot`, or `/fleet` in a reply to
    a message of this bot. Alone with it the slash may be left out.
    """
    alone = message.chat.type == ChatType.PRIVATE
    first = next(iter(read(message.text or "")), "")
    found = _FIRST.match(f"/{first}" if alone and not first.startswith("/") else first)
    if found is None:
        return False
    if found["to"]:
        return found["to"].lower() == username.lower()
    replied = message.reply_to_message
    return alone or bool(replied and replied.from_user and replied.from_user.id == bot_id)


def words(text: str) -> tuple[str, ...]:
    """What follows the command; a telephone's keyboard begins it with a capital."""
    said = read(text)[1:]
    return (*(word.lower() for word in said[:1]), *said[1:])
