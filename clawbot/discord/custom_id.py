"""A button's whole meaning, in the at most 100 characters of its id, with our mark on it.

``fleet:<act>:<what>:<whom>:<until>:<mark>``. Numbers are in base 62, so that the longest instance
id and three 64-bit ids fit. The mark also covers where the button stands, so that one copied
below another message is foreign there.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from clawbot.base62 import number, spelled
from clawbot.replies import Question
from clawbot.seal import Seal
from fleet_control.caller import is_target
from fleet_control.ledger import IMAGE, REVISION_LENGTH, is_image_id
from fleet_control.seed import is_revision

PATTERN = re.compile(
    r"fleet:(?P<act>[yncs]):(?P<what>[A-Za-z0-9,-]*):(?P<whom>[A-Za-z0-9]*)"
    r":(?P<until>[A-Za-z0-9]*):(?P<mark>[A-Za-z0-9_-]{8})"
)
# Before a commit: no image's number has this letter.
_COMMIT = "r"


class Act(StrEnum):
    """What a button does."""

    YES = "y"
    NO = "n"
    CANCEL = "c"
    STATUS = "s"


@dataclass(frozen=True, slots=True)
class Press:
    """What a button means.

    Attributes:
        what: `target,version,asked` of a yes or a no; a run's id; a page's number.
        whom: Discord id of the only one who may press it; 0 for anybody.
        until: Unix seconds; 0 for ever.
    """

    act: Act
    what: str = ""
    whom: int = 0
    until: int = 0

    def custom_id(self, seal: Seal, *place: str) -> str:
        """The id of this button, good only in `place`."""
        body = f"{self.act}:{self.what}:{spelled(self.whom)}:{spelled(self.until)}"
        return f"fleet:{body}:{seal.mark(body, *place)}"


def read(custom_id: str, seal: Seal, *place: str) -> Press | None:
    """What a button means, or None where it is not ours, not unaltered, or not from `place`."""
    found = PATTERN.fullmatch(custom_id)
    if found is None:
        return None
    body, mark = custom_id.removeprefix("fleet:").rsplit(":", 1)
    if not seal.holds(mark, body, *place):
        return None
    act, what = Act(found["act"]), found["what"]
    return Press(act, what, number(found["whom"]), number(found["until"]))


def answer(question: Question, act: Act) -> Press | None:
    """The button that answers `question`; None where what it asks for does not fit a button."""
    version = _spelled(question.version)
    if version is None or not is_target(question.target):
        return None
    what = f"{question.target},{version},{spelled(int(question.asked))}"
    whom = int(question.asker.partition(":")[2])
    return Press(act, what, whom, int(question.expires))


def question(press: Press) -> Question:
    """The question that a yes or a no answers, as far as an answer needs it."""
    target, version, asked = press.what.split(",")
    return Question(
        target=target,
        version=_read(version),
        asker=f"discord:{press.whom}",
        asked=str(number(asked)),
        expires=press.until,
    )


def _spelled(version: str) -> str | None:
    """An image without what all begin with, or as many of a commit's digits as a title has."""
    if is_revision(version):
        return f"{_COMMIT}{version[:REVISION_LENGTH]}"
    return version.removeprefix(IMAGE) if not version or is_image_id(version) else None


def _read(spelled: str) -> str:
    if spelled.startswith(_COMMIT):
        return spelled.removeprefix(_COMMIT)
    return f"{IMAGE}{spelled}" if spelled else ""
