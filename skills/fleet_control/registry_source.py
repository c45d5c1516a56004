"""Reads the registry from the Control API at most once a minute, or falls back to a copy."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from fleet_control.clock import Clock
from fleet_control.error import FleetError, RegistryError, RegistryUnread
from fleet_control.ledger import Revision
from fleet_control.registry import Registry, parse

KEPT_SECONDS = 60.0
# What is not in it may have come meanwhile, and a broken one been mended: then it is read anew, but
# no more often than this.
AGAIN_SECONDS = 5.0


class RegistryRead(NamedTuple):
    """The registry's text as its source has it.

    Attributes:
        version: GitHub's sha of the file.
        revisions: the branch's newest, the newest first; empty where the API can't say.
        token_ends: when GitHub's token ends, Unix seconds; None where the API can't say.
    """

    text: str
    version: str
    revisions: tuple[Revision, ...] = ()
    token_ends: float | None = None


@dataclass(frozen=True, slots=True)
class KnownRegistry:
    """A registry, with its age and where it comes from.

    Attributes:
        version: GitHub's sha of the file, or empty for a local copy.
        read_at: when it was read at its source, or a local copy written; Unix seconds.
        revisions: the branch's newest, the newest first, where its source can say.
        fresh: whether it came from its source within the last minute.
        trouble: why it is not fresh, in a sentence.
        problems: what is wrong with the one at its source, where that is not valid.
        token_ends: when the Control API's token for GitHub ends, Unix seconds; None if unknown.
        is_read: whether there is one; else it is empty, and says nothing of any host.
    """

    registry: Registry
    version: str
    read_at: float
    fresh: bool
    trouble: str = ""
    revisions: tuple[Revision, ...] = ()
    problems: tuple[str, ...] = ()
    is_read: bool = True
    token_ends: float | None = None


def unread(error: RegistryError, now: float) -> KnownRegistry:
    """In the place of one that can't be had at all."""
    return KnownRegistry(Registry({}), "", now, fresh=False, trouble=str(error), is_read=False)


class RegistrySource:
    """Asks `fetch` for it at most once a minute, however many ask, or in `kept` seconds.

    Falls back to the last good answer, then to the `local` file; RegistryError if there is none.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[RegistryRead]],
        clock: Clock,
        local: Path | None = None,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._local = local
        self._known: KnownRegistry | None = None
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    @property
    def last(self) -> KnownRegistry | None:
        """What was known last, however old; asks nobody."""
        return self._known

    async def get(self, kept: float = KEPT_SECONDS) -> KnownRegistry:
        async with self._lock:
            if self._known and self._clock.monotonic() - self._tried_at < kept:
                return self._known
            self._known = await self._read()
            self._tried_at = self._clock.monotonic()
            return self._known

    async def _read(self) -> KnownRegistry:
        try:
            read, now = await self._fetch(), self._clock.now()
            known = parse(read.text)
            return KnownRegistry(
                known,
                read.version,
                now,
                fresh=True,
                revisions=read.revisions,
                token_ends=read.token_ends,
            )
        except FleetError as error:
            kept = self._known or self._from_file(error)
            return replace(
                kept, fresh=False, trouble=str(error), revisions=(), problems=_invalid(error)
            )

    def _from_file(self, cause: FleetError) -> KnownRegistry:
        unread, invalid = "The registry can't be read at its source", _invalid(cause)
        if self._local is None:
            raise RegistryUnread(f"{unread}: {cause}", invalid) from cause
        try:
            text, written = self._local.read_bytes(), self._local.stat().st_mtime
        except OSError as error:
            raise RegistryUnread(
                f"{unread}, and there is no copy at {self._local}: {cause}", invalid
            ) from error
        try:
            copy = parse(text)
        except RegistryError as error:
            raise RegistryUnread(
                f"{unread}, and the copy at {self._local} is not valid: {cause}", invalid
            ) from error
        return KnownRegistry(copy, "", written, fresh=False)


def _invalid(error: FleetError) -> tuple[str, ...]:
    return tuple(error.problems) if isinstance(error, RegistryError) else ()
