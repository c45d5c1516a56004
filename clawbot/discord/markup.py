"""What every embed is made of: a title, a text and a colour, and words in which nothing is any
markup but ours."""

import re

import discord

from clawbot import backquotes
from clawbot.discord import limits
from clawbot.page import cut
from fleet_control.line import printable

LONGEST_ROW = 320
LONGEST_ID = 64
GREEN, YELLOW, RED, BLUE, GREY = 0x3BA55D, 0xF0B232, 0xDA373C, 0x5865F2, 0x80848E

# What makes a word anything but itself: markup, a mention, a moment, a link.
_MARKUP = re.compile(r"[\\*_`~|<\[]|:(?=//)|@(?=everyone|here)|^[#>-]")


def said(line: str, longest: int = limits.EMBED_DESCRIPTION) -> str:
    """A line of ours: what stands in backquotes is code, nothing else is any markup."""
    return backquotes.drawn(line, longest, _piece)


def plain(text: str, longest: int = LONGEST_ID) -> str:
    """A name or so, in which nothing is any markup, whoever chose it."""
    return _escaped(cut(printable(text.strip()).strip(), longest))


def words(text: str, longest: int) -> str:
    """What others wrote, in which nothing is code, and no more of it."""
    return said(text.replace("`", "'"), longest)


def _piece(text: str, is_code: bool) -> str:
    return f"`{text}`" if is_code else _escaped(text)


def _escaped(text: str) -> str:
    """Each one by itself: it may have its other half in somebody else's line."""
    return _MARKUP.sub(r"\\\g<0>", text)


def titled(title: str, text: str, colour: int) -> discord.Embed:
    return discord.Embed(
        title=cut(title, limits.EMBED_TITLE) or None,
        description=cut(text, limits.EMBED_DESCRIPTION),
        colour=colour,
    )


def moment(seconds: float, style: str = "R") -> str:
    return f"<t:{int(seconds)}:{style}>"
