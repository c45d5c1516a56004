"""What each account of Telegram has for itself, and what all of them have together."""

from collections.abc import Iterator, MutableMapping
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class ByAccount(MutableMapping[K, V]):
    """By chats, or by chats and what is in them: groups are `together` with the other accounts,
    which have negative ids; a chat with a person is this account's own."""

    def __init__(self, together: MutableMapping[K, V]) -> None:
        self._together = together
        self._own: dict[K, V] = {}

    def __getitem__(self, key: K) -> V:
        return self._of(key)[key]

    def __setitem__(self, key: K, value: V) -> None:
        self._of(key)[key] = value

    def __delitem__(self, key: K) -> None:
        del self._of(key)[key]

    def __iter__(self) -> Iterator[K]:
        yield from (key for key in self._together if _is_group(key))
        yield from self._own

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _of(self, key: K) -> MutableMapping[K, V]:
        return self._together if _is_group(key) else self._own


def _is_group(key: Any) -> bool:
    return int(key[0] if isinstance(key, tuple) else key) < 0
