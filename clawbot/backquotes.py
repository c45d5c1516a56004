"""What a line of ours holds in backquotes is code; nothing else in it is any markup."""

from bisect import bisect_right
from collections.abc import Callable, Iterator

from fleet_control.line import printable

# A piece of a line as a platform draws it, and whether it is code.
Draw = Callable[[str, bool], str]


def drawn(line: str, longest: int, draw: Draw, size: Callable[[str], int] = len) -> str:
    """The line as `draw` has its pieces, at most so long by what `size` measures of that.

    One that is too long ends before the code that has no room, not within it.
    """
    pieces = tuple(_pieces(printable(line.strip()).strip()))
    whole = "".join(draw(*piece) for piece in pieces)
    if size(whole) <= longest:
        return whole
    told, room = "", longest - 1
    for text, is_code in pieces:
        piece = draw(text, is_code)
        if size(piece) > room:
            return f"{told}{'' if is_code else _begun(text, room, draw, size)}…"
        told, room = told + piece, room - size(piece)
    return f"{told}…"


def _pieces(line: str) -> Iterator[tuple[str, bool]]:
    """Words and code, by turns; where a backquote has no other, or nothing lies between two, all of
    it is words."""
    parts = line.split("`")
    if len(parts) % 2 == 0 or "" in parts[1::2]:
        yield line, False
        return
    yield from ((part, odd % 2 == 1) for odd, part in enumerate(parts) if part)


def _begun(text: str, room: int, draw: Draw, size: Callable[[str], int]) -> str:
    """As much of the words as there is room for."""
    fit = bisect_right(range(len(text)), room, key=lambda end: size(draw(text[:end], False)))
    return draw(text[: max(0, fit - 1)], False)
