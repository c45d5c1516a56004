"""Which messages are for us, and which words they say."""

import re

from telegram import Message
from telegram.constants import ChatType

from clawbot.parsing import is_asked
from clawbot.words import COMMAND, read

_FIRST = re.compile(rf"{COMMAND}(?:@(?P<to>\w+))?\b", re.IGNORECASE)


def addressed(message: Message, username: str, bot_id: int, *, alone: bool) -> bool:
    """Whether a message is said to this bot.

    In a group, where several bots may sit, that is `/fleet@thisbot`, or `/fleet` in a reply to
    a message of this bot, or what comes after its name. Alone with it the slash may be left out;
    after its name all of `/fleet` may, where the bot is `alone` for us or that is a command.
    """
    name, said = _named(message.text or "")
    if name and name.lower() != username.lower():
        return False
    to_us = bool(name) or message.chat.type == ChatType.PRIVATE
    first = next(iter(said), "")
    found = _FIRST.match(f"/{first}" if to_us and not first.startswith("/") else first)
    if found is None:
        return bool(name) and (alone or is_asked(words(message.text or "")))
    if found["to"]:
        return found["to"].lower() == username.lower()
    replied = message.reply_to_message
    return to_us or bool(replied and replied.from_user and replied.from_user.id == bot_id)


def words(text: str) -> tuple[str, ...]:
    """What follows the command, or the bot's name where the command's is left out; a telephone's
    keyboard begins it with a capital."""
    name, said = _named(text)
    first, rest = next(iter(said), "").lstrip("/"), said[1:]
    if name and first and not _FIRST.match(f"/{first}"):
        return (first.lower(), *rest)
    return (*(word.lower() for word in rest[:1]), *rest[1:])


def has_slash(text: str) -> bool:
    """Whether it says `/fleet` with its slash, as programs have to."""
    return any(_FIRST.match(word) for word in _named(text)[1][:1])


def _named(text: str) -> tuple[str, tuple[str, ...]]:
    """The name that a text begins with, empty where it does not; and the words after it."""
    match read(text):
        case (first, *said) if first.startswith("@"):
            return first[1:], tuple(said)
        case said:
            return "", tuple(said)
