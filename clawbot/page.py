"""A long list, a page at a time."""

from collections.abc import Sequence
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


def cut(text: str, longest: int) -> str:
    """`text` within `longest` characters; what is cut off shows as `…`."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
