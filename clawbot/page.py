"""A long list, a page at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`number` counts from 0; `count` is how many pages there are, at least one.

    `asked` is the number that was asked for; another than `number` where there is no such page.
    """

    items: tuple[T, ...]
    number: int
    count: int
    asked: int


def page(items: Sequence[T], number: int, size: int) -> Page[T]:
    """The page of that number, or the nearest that exists."""
    count = max(1, -(-len(items) // size))
    nearest = min(max(number, 0), count - 1)
    shown = tuple(items[nearest * size : (nearest + 1) * size])
    return Page(shown, nearest, count, number)


def fitted(
    items: Sequence[T],
    room: int,
    row: range,
    draw: Callable[[T, int], str],
    size: Callable[[str], int] = len,
) -> Iterator[str]:
    """Each item as `draw` has it within so much, and all of them, each on a line, within `room`.

    `row` says how much each may have at least, and at most; what one leaves is the next one's.
    """
    for left, item in zip(range(len(items) - 1, -1, -1), items, strict=True):
        most = min(row.stop, room - left * (row.start + 1))
        drawn = draw(item, most)
        yield drawn
        room -= size(drawn) + 1


def cut(text: str, longest: int) -> str:
    """`text` within `longest` characters; what is cut off shows as `…`."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
