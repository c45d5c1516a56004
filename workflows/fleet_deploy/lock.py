"""The lock on the state, as the engine's error describes it."""

import getpass
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

_FIELD = re.compile(r"(ID|Who|Created): +(.*)")
_ID = re.compile(r"[0-9a-f-]{8,64}")
_UNSAFE = re.compile(r"[^\w@.:+ -]+")


@dataclass(frozen=True, slots=True)
class StateLock:
    """A lock as its holder wrote it down.

    Attributes:
        who: ``user@machine``.
        created: Unix seconds; None where its holder did not say, or not so that it can be read.
    """

    id: str
    who: str
    created: float | None

    def sentence(self) -> str:
        since = ""
        if self.created is not None:
            since = f" since {datetime.fromtimestamp(self.created, UTC):%Y-%m-%d %H:%M} UTC"
        return (
            f"the state was locked by {self.who}{since} and stayed so. "
            f"If nobody is at work there, release it: "
            f"tofu -chdir=tofu/fleet force-unlock {self.id}"
        )


def held(lines: Iterable[str]) -> StateLock | None:
    """The lock that the engine complains of, or None if it complains of none."""
    found = {match[1]: match[2].strip() for line in lines if (match := _FIELD.fullmatch(line))}
    if not _ID.fullmatch(found.get("ID", "")):
        return None
    return StateLock(
        id=found["ID"],
        who=_UNSAFE.sub(" ", found.get("Who", ""))[:60] or "somebody",
        created=_seconds(found.get("Created", "")),
    )


def _seconds(text: str) -> float | None:
    """Go prints a time as ``2026-11-24 08:00:00.123456789 +0000 UTC``, and year 1 for none."""
    try:
        moment = datetime.strptime(text[:19], "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007  (UTC is put in)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC).timestamp() if moment.year > 1 else None


def is_left_by(lock: StateLock, began: float) -> bool:
    """Whether an engine on this machine left it that began no earlier than that."""
    here = f"{getpass.getuser()}@{socket.gethostname()}"
    return lock.who == here and lock.created is not None and lock.created >= int(began)
