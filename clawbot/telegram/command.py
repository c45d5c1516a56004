"""Which messages are for us, and which words they say."""

from telegram import Message, MessageEntity
from telegram.constants import ChatType

COMMAND = "/fleet"


def addressed(message: Message, username: str, bot_id: int) -> bool:
    """Whether a message says `/fleet` to this bot.

    In a group, where several bots may sit, that is `/fleet@thisbot`, or `/fleet` in a reply to
    a message of this bot.
    """
    command, _, to = _command(message).partition("@")
    if command.lower() != COMMAND:
        return False
    if to:
        return to.lower() == username.lower()
    if message.chat.type == ChatType.PRIVATE:
        return True
    replied = message.reply_to_message
    return replied is not None and replied.from_user is not None and replied.from_user.id == bot_id


def words(text: str) -> tuple[str, ...]:
    """What follows the command; a telephone's keyboard begins it with a capital."""
    said = text.split()[1:]
    return (*(word.lower() for word in said[:1]), *said[1:])


def _command(message: Message) -> str:
    for entity in message.entities:
        if entity.type == MessageEntity.BOT_COMMAND and entity.offset == 0:
            return message.parse_entity(entity)
    return ""
