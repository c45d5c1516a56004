"""The buttons below a reply: what each means.

A button's whole meaning is in the at most 100 characters of its id, with our mark on it, so that it
outlives its process: ``fleet:<act>:<what>:<whom>:<until>:<mark>``. Numbers are in base 62, so that
the longest instance id and three 64-bit ids fit. The mark also covers where the button stands, so
that one copied below another message is foreign there, its label, and of one that does something
all that its message shows: whoever has our token can change either.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import discord

from clawbot.base62 import number, spelled
from clawbot.replies import Question
from clawbot.requests import History, Preflight, Status
from clawbot.seal import Seal
from fleet_control.ledger import IMAGE, OVERRIDE, REVISION_LENGTH, Operation
from fleet_control.run_title import is_image_id
from fleet_control.seed import is_revision

COG = "fleet"
PATTERN = re.compile(
    r"fleet:(?P<act>[yoncsghtp]):(?P<what>[A-Za-z0-9,-]*):(?P<whom>[A-Za-z0-9]*)"
    r":(?P<until>[A-Za-z0-9]*):(?P<mark>[A-Za-z0-9_-]{8})"
)
# A target, a run's id or a lock's: all that fits, and nothing that parts what a button says.
_TARGET = r"[a-z0-9-]{1,36}"
# Before a commit: no image's number has this letter.
_COMMIT = "r"
_OPERATIONS = {
    Operation.DEPLOY: "",
    Operation.ROLLBACK: "b",
    Operation.RESUME: "g",
    Operation.UNLOCK: "u",
}


class DiscordAct(StrEnum):
    """What a button does."""

    YES = "y"
    OVERRIDE = "o"  # a yes, although the fleet is frozen
    NO = "n"
    CANCEL = "c"
    RESUME = "g"
    STOP = "t"
    STATUS = "s"
    HISTORY = "h"
    PREFLIGHT = "p"

    @property
    def reads(self) -> bool:
        """Whether all that it does is to show anew what stands there."""
        return self in (DiscordAct.STATUS, DiscordAct.HISTORY, DiscordAct.PREFLIGHT)


@dataclass(frozen=True, slots=True)
class DiscordPress:
    """What a button means.

    Attributes:
        what: `target,image_or_commit,asked[,operation plan]` of a yes or a no; a run's id; a
            page's number, of a history `target,page`. An operation is told by a letter.
        whom: Discord id of the one who was asked; 0 where nobody was.
        until: Unix seconds; 0 for ever.
    """

    act: DiscordAct
    what: str = ""
    whom: int = 0
    until: int = 0

    def custom_id(self, seal: Seal, *place: str) -> str:
        """The id of this button, good only in `place`."""
        body = f"{self.act}:{self.what}:{spelled(self.whom)}:{spelled(self.until)}"
        return f"fleet:{body}:{seal.mark(body, *place)}"


def read(custom_id: str, seal: Seal, *place: str) -> DiscordPress | None:
    """What a button means, or None where it is not ours, not unaltered, or not from `place`."""
    found = PATTERN.fullmatch(custom_id)
    if found is None:
        return None
    body, mark = custom_id.removeprefix("fleet:").rsplit(":", 1)
    if not seal.holds(mark, body, *place):
        return None
    act, what = DiscordAct(found["act"]), found["what"]
    return DiscordPress(act, what, number(found["whom"]), number(found["until"]))


def answer(question: Question, act: DiscordAct) -> DiscordPress | None:
    """The button that answers `question`; None where what it asks for does not fit a button."""
    image_or_commit = _spelled(question.image_or_commit)
    if image_or_commit is None or not re.fullmatch(_TARGET, question.target):
        return None
    what = f"{question.target},{image_or_commit},{spelled(int(question.asked))}"
    if question.operation:
        what = f"{what},{_OPERATIONS[Operation(question.operation)]}{question.plan}"
    whom = int(question.asker.partition(":")[2])
    return DiscordPress(act, what, whom, int(question.expires))


def question(press: DiscordPress) -> Question:
    """The question that a yes or a no answers, as far as an answer needs it."""
    target, image_or_commit, asked, *more = press.what.split(",")
    letter, plan = (more[0][:1], more[0][1:]) if more else ("", "")
    return Question(
        target=target,
        image_or_commit=_read(image_or_commit),
        asker=f"discord:{press.whom}",
        asked=str(number(asked)),
        expires=press.until,
        operation=next(one for one, its in _OPERATIONS.items() if its == letter),
        override=OVERRIDE if press.act is DiscordAct.OVERRIDE else "",
        plan=plan,
    )


def read_again(press: DiscordPress) -> Status | History | Preflight:
    """What a button asks for that only reads."""
    of, _, page = press.what.rpartition(",")
    match press.act:
        case DiscordAct.STATUS:
            return Status(int(page) + 1)
        case DiscordAct.HISTORY:
            return History(of, int(page) + 1)
        case _:
            return Preflight()


def _spelled(named: str) -> str | None:
    """An image without what all begin with, or as many of a commit's digits as a title has."""
    if is_revision(named):
        return f"{_COMMIT}{named[:REVISION_LENGTH]}"
    return named.removeprefix(IMAGE) if not named or is_image_id(named) else None


def _read(spelled: str) -> str:
    if spelled.startswith(_COMMIT):
        return spelled.removeprefix(_COMMIT)
    return f"{IMAGE}{spelled}" if spelled else ""


@runtime_checkable
class TakesPresses(Protocol):
    """Who takes a press: the cog of the bot that heard it."""

    async def press(self, interaction: discord.Interaction, custom_id: str) -> None: ...


class FleetButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=PATTERN):
    """`custom_id` is its whole meaning."""

    def __init__(
        self, custom_id: str, label: str, style: discord.ButtonStyle | None = None
    ) -> None:
        style = style or discord.ButtonStyle.secondary
        super().__init__(discord.ui.Button(custom_id=custom_id, label=label, style=style))

    @classmethod
    async def from_custom_id(
        cls,
        _interaction: discord.Interaction[Any],
        item: discord.ui.Item[Any],
        match: re.Match[str],
    ) -> "FleetButton":
        label = item.label if isinstance(item, discord.ui.Button) else None
        return cls(match.string, label or "")

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        cog = interaction.client.get_cog(COG)
        if isinstance(cog, TakesPresses):
            await cog.press(interaction, self.custom_id)
