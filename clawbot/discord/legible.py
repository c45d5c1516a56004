"""What can be read in a message of Discord's, by which it is known again."""

from collections.abc import Iterator

import discord

from clawbot.seal import legible


def labels(message: discord.Message) -> Iterator[tuple[str | None, str]]:
    """The id of each of a message's buttons with what it says; of what is none, all that it is."""
    for row in message.components:
        for one in row.children if isinstance(row, discord.ActionRow) else (row,):
            if isinstance(one, discord.Button):
                yield one.custom_id, f"{one.emoji or ''}{one.label or ''}"
            else:
                yield None, str(one.to_dict())


def legible_in(message: discord.Message) -> str:
    """All that can be read in a message and on its buttons."""
    embeds = (text for one in message.embeds for text in texts(one))
    said = (label for _, label in labels(message))
    return legible(message.content, *embeds, *said, *(one.filename for one in message.attachments))


def texts(one: discord.Embed) -> Iterator[str]:
    """All that can be read in an embed, and where its pictures are."""
    said = [one.author.name, one.title, one.description]
    said += [text for field in one.fields for text in (field.name, field.value)]
    yield from filter(None, (*said, one.footer.text, one.image.url, one.thumbnail.url))


def seen(one: discord.Embed) -> tuple[object, ...]:
    fields = tuple((field.name, field.value) for field in one.fields)
    return (one.title, one.description, one.footer.text, one.colour, fields)
