"""What the bot needs to be allowed in Discord, and what of it is lacking."""

import discord

NEEDED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    embed_links=True,
    read_message_history=True,
)
# In a thread nobody needs it.
_OUTSIDE_THREADS = "send_messages"


def lacking(has: discord.Permissions, here: str, *, thread: bool = False) -> str:
    """What we need and have not, as Discord's own settings call it."""
    if not has.view_channel:
        return f"view {here}"  # without it nothing else counts as allowed
    needed = [name for name, is_so in NEEDED if is_so and not (thread and name == _OUTSIDE_THREADS)]
    return ", ".join(name.replace("_", " ") for name in needed if not getattr(has, name))
