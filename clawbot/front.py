"""A front: `/fleet` on one platform, and why it can't be served there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from clawbot.bot import Bot
from clawbot.readiness import Hears


class Unserved(Exception):
    """Why `/fleet` can't be served, in a sentence that says what to do.

    One that has a cause may pass by itself (a network that is away) and is tried again; any other
    waits for somebody to do what it says.
    """


@dataclass(frozen=True, slots=True)
class Front:
    """One platform: `run` serves until cancelled, tells when it hears from the platform, and raises
    Unserved where it can't."""

    name: str
    run: Callable[[Bot, Hears], Awaitable[None]]
