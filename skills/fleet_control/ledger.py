"""The list of runs is the ledger: what was asked, by whom, where the answer goes, how it ended.

Standard library only: the Lambda carries this file.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from fleet_control.caller import ALL
from fleet_control.last_words import LastWords

# GitHub's words for a run or a job whose turn has not come.
WAITING = ("queued", "pending", "waiting", "requested")

BUTTON = "the button on GitHub"
# Where whoever pressed that has their account, as `requested_by` names it.
GITHUB = "github"
_WHERE = {
    "discord": "in Discord",
    "telegram": "in Telegram",
    "terminal": "in the terminal",
    "agent": "through its agent",
    "operator": "at a desk",
    GITHUB: "on GitHub",
}
PLATFORMS = ("discord", "telegram", "terminal", "agent", "operator")

_BOT = r"[A-Za-z0-9_-]{1,32}"
_PLACE = r"[A-Za-z0-9_-]{1,20}"
# As many of a commit's digits as a title carries.
REVISION_LENGTH = 12
# What an image's id begins with, and no commit.
IMAGE = "ami-"


class RequestId(NamedTuple):
    """The id of one ask.

    Attributes:
        platform: one of `PLATFORMS`.
        bot: who heard it, by the name its key carries.
        channel: where it was asked.
        asked: the id of the message or interaction that asked.
    """

    platform: str
    bot: str
    channel: str
    asked: str

    def __str__(self) -> str:
        return ".".join(self)


def parse_request_id(text: str) -> RequestId:
    """Take ``<platform>.<bot>.<channel>.<asked>`` apart; ValueError says what is wrong."""
    parts = text.split(".")
    if len(parts) != 4:
        raise ValueError("a request id is <platform>.<bot>.<channel>.<asked>")
    platform, bot, channel, asked = parts
    if platform not in PLATFORMS:
        raise ValueError(f"a request id starts with one of {', '.join(PLATFORMS)}")
    if not (
        re.fullmatch(_BOT, bot) and re.fullmatch(_PLACE, channel) and re.fullmatch(_PLACE, asked)
    ):
        raise ValueError(
            "a request id's parts are letters, digits, _ and -: "
            "the bot at most 32 of them, channel and asked at most 20"
        )
    return RequestId(platform, bot, channel, asked)


class Operation(StrEnum):
    """What a run does with its target."""

    DEPLOY = ""
    """Replace hosts, with the newest image where none is named."""
    ROLLBACK = "rollback"
    """Replace hosts with what they ran before their last successful deploy."""
    RESUME = "resume"
    """Take up the roll of another run from where it stopped; the target is that run's id."""
    UNLOCK = "unlock"
    """Break the lock on the state, and do nothing else; the target is the lock's id."""


OVERRIDE = "freeze"


class Entry(NamedTuple):
    """One ask, as a run's title and the dispatch's inputs carry it. Empty means "not said".

    Attributes:
        revision: the first digits of a commit, where one was asked for; then no image was.
        operation: one of `Operation`.
        override: `OVERRIDE` where a person said that the fleet's freeze does not count for it.
    """

    request_id: str = ""
    reply: str = ""
    target: str = ""
    ami_override: str = ""
    revision: str = ""
    caller: str = ""
    requested_by: str = ""
    operation: str = ""
    override: str = ""

    @property
    def image_or_commit(self) -> str:
        """What was named: an image or a commit; empty for the newest."""
        return self.ami_override or self.revision

    @property
    def hosts(self) -> str:
        """Whose hosts the policy is asked about: an instance's, or all, where the target is none
        of them."""
        return ALL if self.operation in (Operation.RESUME, Operation.UNLOCK) else self.target

    @property
    def inputs(self) -> dict[str, str]:
        """The fields, without those that an earlier version of the workflow does not know where
        nothing is said in them."""
        newer = ("operation", "override")
        return {name: one for name, one in self._asdict().items() if one or name not in newer}

    @property
    def moves_hosts(self) -> bool:
        """Whether a freeze keeps it back."""
        return self.operation != Operation.UNLOCK

    @property
    def is_for_people(self) -> bool:
        """Whether no bot instance may ask for it."""
        return bool(self.operation or self.override)

    def naming(self, image_or_commit: str) -> "Entry":
        """The same ask of this image, or of this commit."""
        field = "ami_override" if image_or_commit.startswith(IMAGE) else "revision"
        return self._replace(**{field: image_or_commit})


class Step(NamedTuple):
    """One step of a job; `status` and `conclusion` in GitHub's words."""

    name: str
    status: str
    conclusion: str | None = None


class Job(NamedTuple):
    """One job of a run; times are ISO 8601 in UTC."""

    name: str
    status: str
    conclusion: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    steps: tuple[Step, ...] = ()

    @property
    def finished(self) -> bool:
        return self.status == "completed"


class Revision(NamedTuple):
    """A commit that hosts are built from, as far as it is known.

    Attributes:
        commit: its name, or the first seven digits of it.
        subject: the first line of its message, which anybody may have written.
        committed: ISO 8601 in UTC.
    """

    commit: str
    subject: str = ""
    committed: str = ""


class Run(NamedTuple):
    """One line of the ledger: the run, and what its title says was asked.

    This is also what the Control API answers for a run. `status` and `conclusion` are GitHub's
    words, times ISO 8601 in UTC. `reason` is why it failed, or which of its jobs was cancelled or
    ran out of time, where that could be learnt. `made_of` is what its hosts become, once that is
    settled, `last_words` what its host said that did not come up.
    """

    id: int
    url: str
    status: str
    conclusion: str | None
    target: str
    ami_override: str
    caller: str
    requested_by: str
    request_id: str
    reply: str
    created: str
    started: str | None
    updated: str
    attempt: int = 1
    jobs: tuple[Job, ...] = ()
    reason: str = ""
    revision: str = ""
    made_of: Revision | None = None
    last_words: LastWords | None = None
    operation: str = ""
    override: str = ""

    @property
    def finished(self) -> bool:
        return self.status == "completed"

    @property
    def image_or_commit(self) -> str:
        """What was named: an image or a commit; empty for the newest."""
        return self.ami_override or self.revision


def person(requested_by: str) -> str:
    """A person as the ledger has them, for people: `sam in Discord`, or the account's own name."""
    account, _, name = requested_by.partition(" ")
    where, _, user = account.partition(":")
    return f"{name or user or account} {_WHERE.get(where, '')}".rstrip()


def asked_by(run: Run | Entry) -> str:
    """Who asked for it, and through what: `sam in Discord`, `claw-1 through its agent`."""
    if run.caller:
        return f"{run.caller} {_WHERE.get(run.request_id.partition('.')[0], '')}".rstrip()
    return person(run.requested_by) if run.requested_by else BUTTON


def oldest(runs: Iterable[Run], request_id: str) -> Run | None:
    """The run that is the deploy: of those with this request id, the one dispatched first."""
    same = (run for run in runs if run.request_id == request_id)
    return min(same, key=lambda run: run.id, default=None)


def seconds(moment: str) -> float:
    """Unix seconds of an ISO 8601 time in UTC."""
    return datetime.fromisoformat(moment).timestamp()


def unfinished(runs: Iterable[Run], instance: str, at: float | None = None) -> tuple[Run, ...]:
    """A bot instance's own deploys that are not over, oldest first; with `at`, were not over then.

    One that began after `at` was not over then, either.
    """
    own = (run for run in runs if run.caller == instance)
    open_ = (
        run for run in own if not run.finished or (at is not None and seconds(run.updated) > at)
    )
    return tuple(sorted(open_, key=lambda run: run.id))
