"""The sandbox's three machine images, of different age."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fleet_control.seed import BOOT

_AGES_IN_DAYS = (40, 12, 1)


@dataclass(frozen=True, slots=True)
class SeededImage:
    """An image that is ours, available and tagged ``clawdinator=true``.

    Attributes:
        created: Unix seconds.
        commit: which it was built from.
        boot: the contract of boot that it speaks.
    """

    id: str
    name: str
    created: float
    commit: str = ""
    boot: str = BOOT


def images(now: float, commits: Sequence[str] = ("", "", "")) -> tuple[SeededImage, ...]:
    """Three images, the oldest first, one of each commit; their ids are always the same."""
    made = enumerate(zip(_AGES_IN_DAYS, commits, strict=True), 1)
    return tuple(_image(number, now, days, commit) for number, (days, commit) in made)


def _image(number: int, now: float, days: int, commit: str) -> SeededImage:
    made = datetime.fromtimestamp(now, UTC).replace(microsecond=0) - timedelta(days=days)
    id_ = f"ami-{number:02x}c1a3d1{number:09x}"
    return SeededImage(id_, f"clawdinator-{made:%Y%m%d}-{number}", made.timestamp(), commit)
