"""Where in Discord a message of ours can be opened."""

from clawbot.discord.speaker import PLATFORM


def message_link(guild: int, channel: str, message: str) -> str:
    """The address of a message; Discord's own programs open it in place."""
    return f"https://discord.com/channels/{guild}/{channel}/{message}"


def told_in(guild: int, channel: str, message: str) -> str:
    """Where a deploy is told, to stand after a sentence: the link, or only on which platform.

    `channel` and `message` are as the Control API has them; nothing is said where both are empty.
    """
    platform, _, where = channel.partition(":")
    if platform == PLATFORM and where.isdecimal() and message.isdecimal():
        return f" in {message_link(guild, where, message)}"
    return f" in {platform.capitalize()}" if platform else ""
