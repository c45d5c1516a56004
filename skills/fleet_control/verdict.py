"""What the policy goes by and what it says: the facts, the verdicts, the refusals' codes.

Standard library only: the Lambda carries this file.
"""

from collections.abc import Mapping
from enum import StrEnum, auto
from typing import NamedTuple

from fleet_control.freeze import Freeze


class RefusalCode(StrEnum):
    """Why a deploy is refused; the closed set."""

    UNKNOWN_CALLER = auto()
    NOT_OPERATOR = auto()
    UNKNOWN_TARGET = auto()
    SELF_DEPLOY = auto()
    UNKNOWN_IMAGE = auto()
    UNKNOWN_REVISION = auto()
    TOO_MANY_HOSTS = auto()
    REPAIR_ONLY = auto()
    BUSY = auto()
    QUEUE_FULL = auto()
    TOO_SOON = auto()
    FLEET_UNWELL = auto()
    FROZEN = auto()


class Condition(StrEnum):
    """How an instance's host is, as far as the policy asks."""

    HEALTHY = auto()
    STARTING = auto()
    UNHEALTHY = auto()
    MISSING = auto()


class BotDeploy(NamedTuple):
    """The deploy a bot instance made last of some target, and when it ended (Unix seconds)."""

    instance: str
    ended: float


class Facts(NamedTuple):
    """What is known where the policy is asked. Every default means "not seen here".

    Attributes:
        ids: the registry's ids.
        images: the ids of the available images that are ours and tagged.
        conditions: the registry's ids, each with its host's condition.
        unfinished: link to the caller's own earlier deploy that has not ended.
        waiting: how many runs wait for their turn, whoever asked for them.
        last_bot_deploy: a bot instance's last deploy of the target, whoever made its present host.
        bot_failures: how many deploys of it by bot instances failed since anybody's last success.
        bot_deploys_unseen: whether those lie further back than anybody looks.
        asked_later: whether a later depth asks the target itself how it is: what EC2 calls healthy
            may not be.
        frozen: the freeze that holds the fleet now.
        carrier: the instance whose host carries the bot that is asked.
        operators_set: whether anybody at all is configured as an operator.
        now: Unix seconds.
    """

    ids: tuple[str, ...] | None = None
    images: frozenset[str] | None = None
    conditions: Mapping[str, Condition] | None = None
    unfinished: str = ""
    waiting: int = 0
    last_bot_deploy: BotDeploy | None = None
    bot_failures: int = 0
    bot_deploys_unseen: bool = False
    asked_later: bool = False
    frozen: Freeze | None = None
    carrier: str = ""
    operators_set: bool = True
    now: float = 0.0


class Allowed(NamedTuple):
    """The deploy may go ahead.

    Attributes:
        confirm: where not empty, only after the asker said yes to what it names.
        doubt: what is left to a later depth to refuse, and why it can't be seen here.
        override: what a yes overrides, as the ledger has it; empty for nothing.
    """

    confirm: str = ""
    doubt: str = ""
    override: str = ""


class Refused(NamedTuple):
    """The deploy is refused, with a code for programs and a sentence for people."""

    code: RefusalCode
    message: str


class Usage(NamedTuple):
    """No target was named: the answer says how to ask, with the ids that could be named."""

    ids: tuple[str, ...]


Verdict = Allowed | Refused | Usage
