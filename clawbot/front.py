"""A front: `/fleet` on one platform, and why it can't be served there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from clawbot.bot import Bot
from clawbot.readiness import FrontReadiness


class Unserved(Exception):
    """Why `/fleet` can't be served, in a sentence that says what to do.

    One that has a cause may pass by itself (a network that is away) and is tried again soon. Any
    other waits for somebody to do what it says, and is tried again ever later.
    """


class BadSettings(Unserved):
    """What no wait can mend: it is not tried again before the program is started anew."""


@dataclass(frozen=True, slots=True)
class Front:
    """One platform: `run` serves until cancelled, tells how that goes, and raises Unserved where it
    can't."""

    name: str
    run: Callable[[Bot, FrontReadiness], Awaitable[None]]
