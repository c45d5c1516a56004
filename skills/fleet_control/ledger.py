"""The list of runs is the ledger: what was asked, by whom, where the answer goes, how it ended.

A run's title carries the inputs in a fixed form, the address first and the requester's name last,
so that a cut costs only that. An image and a commit share one field, since an ask names one of them
at the most; so do the target and what is done with it: `all`, `rollback:claw-2`, `claw-2!`, where
the mark means that a freeze is overridden. The contract test holds the workflow's `run-name` to
`title`.

Standard library only: the Lambda carries this file.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from unicodedata import normalize

from fleet_control.caller import ALL, BotInstance, Caller, is_instance_id, is_target
from fleet_control.last_words import LastWords
from fleet_control.line import printable
from fleet_control.seed import is_revision

SEPARATOR = " | "
NOTHING = "-"
TITLE_LENGTH = 250
NAME_LENGTH = 32

# GitHub's words for a run or a job whose turn has not come.
WAITING = ("queued", "pending", "waiting", "requested")

PLATFORMS = ("discord", "telegram", "terminal", "agent", "operator")

_BOT = r"[A-Za-z0-9_-]{1,32}"
_PLACE = r"[A-Za-z0-9_-]{1,20}"
_REPLY = r"[A-Za-z0-9_-]{1,20}"
# As many of a commit's digits as a title carries.
REVISION_LENGTH = 12
# What an image's id begins with, and no commit.
IMAGE = "ami-"
_IMAGE = r"ami-(?:[0-9a-f]{8}|[0-9a-f]{17})"
_ACCOUNT = r"(?:discord|telegram|terminal|operator):[A-Za-z0-9_+=,@-]{1,36}"
_NAME = r"[\w.@ -]*"
_UNSAFE = r"[^\w.@-]+"


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
_OPERATION_MARK, _OVERRIDE_MARK = ":", "!"
_LOCK = r"[0-9a-f-]{8,36}"
_RUN = r"[1-9][0-9]{0,18}"


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


def is_image_id(text: str) -> bool:
    return re.fullmatch(_IMAGE, text) is not None


def is_reply_id(text: str) -> bool:
    return re.fullmatch(_REPLY, text) is not None


def is_requested_by(text: str) -> bool:
    account, _, name = text.partition(" ")
    return (
        re.fullmatch(_ACCOUNT, account) is not None
        and len(name) <= NAME_LENGTH
        and re.fullmatch(_NAME, name) is not None
    )


def caller_field(caller: Caller) -> str:
    """The ledger's `caller`: the bot instance's id, or nothing for a person."""
    return caller.instance if isinstance(caller, BotInstance) else ""


def requested_by(account: str, name: str) -> str:
    """``<platform>:<user id> <name>``, the name cut to 32 characters that are safe in a title."""
    safe = re.sub(_UNSAFE, "-", normalize("NFC", printable(name))).strip("-")[:NAME_LENGTH]
    return f"{account} {safe}".rstrip()


def fit(entry: Entry) -> Entry:
    """The same ask with the requester's name cut so that the title is at most 250 characters, and
    the commit to as many digits as a title carries."""
    entry = entry._replace(revision=entry.revision[:REVISION_LENGTH])
    over = len(title(entry)) - TITLE_LENGTH
    if over <= 0:
        return entry
    return entry._replace(requested_by=entry.requested_by[:-over].rstrip())


def title(entry: Entry) -> str:
    """The run's title, as the workflow's `run-name` writes it."""
    fields = (
        entry.request_id,
        entry.reply,
        _marked(entry),
        entry.image_or_commit,
        entry.caller,
        entry.requested_by,
    )
    return SEPARATOR.join(field or NOTHING for field in fields)


def _marked(entry: Entry) -> str:
    begin = f"{entry.operation}{_OPERATION_MARK}" if entry.operation else ""
    return f"{begin}{entry.target or NOTHING}{_OVERRIDE_MARK if entry.override else ''}"


def parse_title(text: str) -> Entry | None:
    """The ask a run's title carries, or None where the title has another form."""
    fields = ["" if field == NOTHING else field for field in text.split(SEPARATOR)]
    if len(fields) != _TITLE_PARTS:
        return None
    request_id, reply, marked, named, caller, by = fields
    operation, mark, target = marked.rpartition(_OPERATION_MARK)
    whole = target.removesuffix(_OVERRIDE_MARK)
    override = OVERRIDE if whole != target else ""
    entry = Entry(request_id, reply, whole, "", "", caller, by, operation, override).naming(named)
    is_whole = entry.target and bool(operation) == bool(mark)
    return entry if is_whole and not wrong_fields(entry) else None


def is_run_id(text: str) -> bool:
    return re.fullmatch(_RUN, text) is not None


def is_lock_id(text: str) -> bool:
    return re.fullmatch(_LOCK, text) is not None


def _is_override(text: str) -> bool:
    return text == OVERRIDE


def _is_operation(text: str) -> bool:
    return text in list(Operation)


def _is_some_target(text: str) -> bool:
    return any(is_one(text) for is_one in _TARGETS.values())


# What the target must be, by what is done with it.
_TARGETS: Mapping[str, Callable[[str], bool]] = {
    Operation.DEPLOY: is_target,
    Operation.ROLLBACK: is_target,
    Operation.RESUME: is_run_id,
    Operation.UNLOCK: is_lock_id,
}
_TITLE_PARTS = 6
# What each field must be where it is not empty. A ValueError says what is wrong, as False does.
FIELD_FORMS: Mapping[str, Callable[[str], object]] = {
    "request_id": parse_request_id,
    "reply": is_reply_id,
    "target": _is_some_target,
    "ami_override": is_image_id,
    "revision": is_revision,
    "caller": is_instance_id,
    "requested_by": is_requested_by,
    "operation": _is_operation,
    "override": _is_override,
}
TITLE_FIELDS = tuple(FIELD_FORMS)


def has_form(field: str, value: str) -> bool:
    """Whether this field of a title may hold `value`."""
    try:
        return bool(FIELD_FORMS[field](value))
    except ValueError:
        return False


def wrong_fields(entry: Entry) -> tuple[str, ...]:
    """The fields that have not the form they must have: those said, and a target of its operation's
    kind."""
    said = {name: value for name, value in entry._asdict().items() if value}
    wrong = [name for name, value in said.items() if not has_form(name, value)]
    is_one = _TARGETS.get(entry.operation)
    if "target" in said and "target" not in wrong and is_one and not is_one(entry.target):
        wrong.append("target")
    return tuple(wrong)


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
