"""The lock on the state, as the engine's error describes it."""

import os
import pwd
import re
import socket
from collections.abc import Iterable
from datetime import UTC, datetime

from fleet_control import state_lock
from fleet_control.state_lock import StateLock

_FIELD = re.compile(r"(ID|Who|Created): +(.*)")


def stays(lock: StateLock) -> str:
    """The sentence for a lock that was waited for in vain; it has no full stop."""
    return (
        f"the state was locked by {lock.who}{since(lock)} and stayed so. If nobody is at work "
        f"there, release it: /fleet unlock (lock {lock.id})"
    )


def since(lock: StateLock) -> str:
    """Since when it is held, behind a space; nothing where its holder did not say."""
    return "" if lock.created is None else f" since {told(lock.created)}"


def told(moment: float) -> str:
    """A moment, as people read it wherever they are."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"


def held(lines: Iterable[str]) -> StateLock | None:
    """The lock that the engine complains of, or None if it complains of none."""
    found = {match[1]: match[2].strip() for line in lines if (match := _FIELD.fullmatch(line))}
    return state_lock.read_lock(found)


def here() -> str:
    """The name that an engine on this machine writes into its lock."""
    return f"{pwd.getpwuid(os.getuid()).pw_name}@{socket.gethostname()}"


def is_left_by(lock: StateLock, began: float) -> bool:
    """Whether an engine on this machine left it that began no earlier than that."""
    ours = lock.who == state_lock.plain(here())
    return ours and lock.created is not None and lock.created >= int(began)
