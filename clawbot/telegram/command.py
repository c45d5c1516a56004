"""Which messages are for us, and which words they say."""

import re

from telegram import Message
from telegram.constants import ChatType

from clawbot.words import COMMAND, read

_FIRST = re.compile(rf"{COMMAND}(?:@(?P<to>\w+))?\b", re.IGNORECASE)


def addressed(message: Message, username: str, bot_id: int) -> bool:
    """Whether a message says `/fleet` to this bot.

    In a group, where several bots may sit, that is `/fleet@thisbot`, or `/fleet` in a reply to
    a message of this bot or after its name. Alone with it or after its name the slash may be left
    out.
    """
    name, said = _named(message.text or "")
    if name and name.lower() != username.lower():
        return False
    to_us = bool(name) or message.chat.type == ChatType.PRIVATE
    first = next(iter(said), "")
    found = _FIRST.match(f"/{first}" if to_us and not first.startswith("/") else first)
    if found is None:
        return False
    if found["to"]:
        return found["to"].lower() == username.lower()
    replied = message.reply_to_message
    return to_us or bool(replied and replied.from_user and replied.from_user.id == bot_id)


def words(text: str) -> tuple[str, ...]:
    """What follows the command; a telephone's keyboard begins it with a capital."""
    said = _named(text)[1][1:]
    return (*(word.lower() for word in said[:1]), *said[1:])


def has_slash(text: str) -> bool:
    """Whether it says `/fleet` with its slash, as programs have to."""
    return any(word.startswith("/") for word in _named(text)[1][:1])


def _named(text: str) -> tuple[str, tuple[str, ...]]:
    """The name that a text begins with, empty where it does not; and the words after it."""
    match read(text):
        case (first, *said) if first.startswith("@"):
            return first[1:], tuple(said)
        case said:
            return "", tuple(said)
