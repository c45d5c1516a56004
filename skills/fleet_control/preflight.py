"""Whether a deploy would work: each thing that it needs, looked at before it is needed.

Standard library only: the Lambda carries this file.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """What a look at one thing came to."""

    OK = "ok"
    WRONG = "wrong"
    UNSEEN = "unseen"
    """It can't be seen from where it is asked."""


class Point(StrEnum):
    """Every thing that is looked at, by its name, in the order in which they are shown."""

    API = "Control API"
    TOKEN = "control token"  # noqa: S105  (the name of one)
    SIGNATURE = "signature"
    CLOCK = "clock"
    GITHUB = "GitHub"
    GITHUB_TOKEN = "GitHub's token"  # noqa: S105  (the name of one)
    QUOTA = "GitHub's quota"
    WORKFLOW = "workflow"
    DISPATCH = "right to start a run"
    FREEZE = "freeze"
    LOCK = "state's lock"
    REGISTRY = "registry"
    HOST_FILES = "host files"
    SECRETS = "secrets"
    BUNDLES = "bundles"
    TOKENS = "tokens not shared"
    HOSTS = "hosts"
    IMAGE = "newest image"
    SEED = "seed"
    BRANCH = "branch"
    TABLE = "control table"
    DOCUMENT = "SSM document"
    ROLES = "roles and users"
    CHANNELS = "rights in channels"
    FLEET_CHANNEL = "fleet's channel"


FIRST = "Mend what is wrong first."
APPLY = "Apply `tofu/control` again."
AT_A_DESK = "`clawbot preflight` at a desk sees it."
_SEEN_BY = {
    Point.SECRETS: AT_A_DESK,
    Point.BUNDLES: AT_A_DESK,
    Point.TOKENS: AT_A_DESK,
    Point.SEED: AT_A_DESK,
    Point.DOCUMENT: AT_A_DESK,
    Point.ROLES: AT_A_DESK,
    Point.FLEET_CHANNEL: "`/fleet preflight` in Discord or Telegram sees it.",
    Point.CHANNELS: "`/fleet preflight` in Discord or Telegram sees it.",
}
_BY_THE_API = "Whoever reaches the Control API sees it."
# Of two looks at one thing, the one that found more.
_WEIGHT = (Outcome.UNSEEN, Outcome.OK, Outcome.WRONG)


class Check(NamedTuple):
    """One thing that was looked at.

    Attributes:
        name: a `Point`'s, the same on every front.
        told: what was found, or why nothing was, in a sentence; may hold `code` in backquotes.
        advice: what mends it where it is wrong, or who can see it where it is not seen; may hold
            `code` in backquotes. Empty where all is well.
    """

    name: str
    outcome: Outcome
    told: str
    advice: str = ""


def ok(point: Point, told: str) -> Check:
    return Check(point, Outcome.OK, told)


def wrong(point: Point, told: str, advice: str) -> Check:
    return Check(point, Outcome.WRONG, told, advice)


def unseen(point: Point, told: str = "This can't be seen from here.", advice: str = "") -> Check:
    """Who can see it is said where nothing better is."""
    return Check(point, Outcome.UNSEEN, told, advice or _SEEN_BY.get(point, _BY_THE_API))


def hidden(point: Point) -> Check:
    """Of what was looked at in vain, because of something that is wrong before it."""
    told = "This could not be seen, for something else is wrong."
    return unseen(point, told, FIRST)


def in_order(found: Iterable[Check]) -> tuple[Check, ...]:
    """One check for each point: of several the one that found more, or the later; what nobody
    looked at is unseen."""
    of: dict[str, Check] = {}
    for one in found:
        known = of.get(one.name)
        if not known or _WEIGHT.index(one.outcome) >= _WEIGHT.index(known.outcome):
            of[one.name] = one
    return tuple(of.get(point) or unseen(point) for point in Point)
