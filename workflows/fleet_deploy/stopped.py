"""The error that stops a run, and how its sentence is cut for a chat."""

from fleet_control.error import FleetError
from fleet_control.last_words import LastWords

# What a chat shows of a sentence: the Lambda cuts the rest off.
ROOM = 300
# Of that, for the beginning where the rest is cut: which host it is about, and where that is now.
_FACTS = 66


class Stopped(FleetError):
    """The run must not go on; the message is a sentence for the chat.

    Attributes:
        title: two or three words for a headline.
        details: markdown for the job's summary, below the sentence.
        last_words: of the host that it is about.
    """

    def __init__(
        self, title: str, sentence: str, details: str = "", last_words: LastWords | None = None
    ) -> None:
        super().__init__(sentence)
        self.title = title
        self.details = details
        self.last_words = last_words

    def saying(self, sentence: str) -> "Stopped":
        """The same error with another sentence."""
        return Stopped(self.title, sentence, self.details, self.last_words)


def cut(text: str, room: int) -> str:
    """As much as there is room for, of whole sentences if that is the most of it, else of words.

    A full stop is not counted, and goes where something is cut.
    """
    text = text.removesuffix(".")
    if len(text) <= room:
        return text
    some = text[: room - 1]
    sentences = some.rpartition(". ")[0]
    if len(sentences) > room // 2:
        return sentences
    words = some.rpartition(" ")[0]
    return (words if len(words) > room // 2 else some).rstrip(" ,;:") + "…"


def brief(text: str, room: int = ROOM) -> str:
    """The text where there is room for it; else its beginning, and its last sentence whole.

    The last sentence of a stop says what to do, or where the hosts are.
    """
    if len(text) <= room:
        return text
    beginning, _, last = text.rpartition(". ")
    if len(last) > room - _FACTS:
        return cut(text, room)
    kept = cut(beginning, room - len(". ") - len(last))
    return f"{kept}{' ' if kept.endswith('…') else '. '}{last}"
