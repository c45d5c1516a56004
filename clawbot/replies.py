"""What is said, before any platform's markup."""

from dataclasses import dataclass
from enum import StrEnum

from clawbot.page import Page
from clawbot.progress import Progress, Stage
from fleet_control import skew
from fleet_control.finding import Finding
from fleet_control.history import HistoryRow
from fleet_control.preflight import Check
from fleet_control.status import FleetStatus

# The code of a notice that answers what is no command at all.
UNKNOWN_COMMAND = "unknown_command"
ASKED_ALREADY = "That was asked already; its own reply tells how it goes."
TOO_OLD = "That reached me more than two minutes late: too old. Say it again."
# How long a question waits for its answer, in seconds.
ANSWER_WITHIN_SECONDS = 120.0
# A clock that is wrong by so much makes an ask old that is not.
WRONG_SECONDS = 60.0


class Tone(StrEnum):
    """How a notice sounds; an adapter's colour."""

    PLAIN = "plain"
    REFUSED = "refused"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Notice:
    """A few lines of text: help, usage, a refusal, or what is broken.

    `lines` may hold `code` in backquotes and nothing else of any markup. `code` is a refusal's.
    `ids` are what could have been named, for adapters that offer choices, with the command of the
    name `ids_of`; `runs` is a run under way that can be stopped, 0 for none.
    """

    lines: tuple[str, ...]
    tone: Tone = Tone.PLAIN
    code: str = ""
    ids: tuple[str, ...] = ()
    ids_of: str = ""
    runs: int = 0


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The fleet beside its registry; `page` counts from 0, in whatever size the adapter shows.

    `held` is what keeps deploys from beginning, or that it can't be seen, in a sentence.
    """

    status: FleetStatus
    page: int = 0
    held: str = ""


@dataclass(frozen=True, slots=True)
class HistoryReport:
    """A page of the last deploys, newest first; of a target where one is named.

    Attributes:
        beside: what was not looked at, in a sentence; empty where everything was.
    """

    shown: Page[HistoryRow]
    target: str = ""
    beside: str = ""


@dataclass(frozen=True, slots=True)
class HostMove:
    """What a yes would make of one host: its image and revision now and then, in words.

    Attributes:
        brief: all of it in half a line.
        then: empty for one that stays as it is.
        note: a sentence about that, or empty.
    """

    id: str
    brief: str
    now: str
    then: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A deploy that waits for its asker's yes; the first five and the last three are all that an
    answer needs.

    Attributes:
        asker: account of the only one who may answer, ``<platform>:<user id>``.
        expires: Unix seconds; a later yes does not count.
        why: what makes it worth asking.
        replaced, created, removed: the ids that a yes would move.
        hosts: what an operation would make of each host, in the order of its roll.
        operation, override: as the ledger has them.
        plan: what an operation would do, in a few letters: what is derived at the yes must be that.
    """

    target: str
    image_or_commit: str
    asker: str
    asked: str
    expires: float
    why: str = ""
    replaced: tuple[str, ...] = ()
    created: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    hosts: tuple[HostMove, ...] = ()
    operation: str = ""
    override: str = ""
    plan: str = ""

    @property
    def put(self) -> float:
        """When it was asked, in Unix seconds."""
        return self.expires - ANSWER_WITHIN_SECONDS

    @property
    def words(self) -> str:
        """The command that it asks about."""
        name = self.operation or "deploy"
        return f"{name} {self.target} {self.image_or_commit}".rstrip()


@dataclass(frozen=True, slots=True)
class Deploying:
    """The living reply of one deploy.

    Attributes:
        asker: account to tell when it is over, or empty.
        trouble: what keeps us from seeing how it goes, for now.
        note: what is left to the run to see, and what the Control API says beside.
        asked_by, asked_at: who asked, and when, in Unix seconds; empty where that is not known.
        calls: who is called at its end besides, as `FleetChannel.calls` has them.
    """

    progress: Progress
    asker: str = ""
    trouble: str = ""
    note: str = ""
    asked_by: str = ""
    asked_at: float = 0.0
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PreflightReport:
    """Whether a deploy would work; before anything was seen, how many things are `looked_at`."""

    checks: tuple[Check, ...] = ()
    looked_at: int = 0


@dataclass(frozen=True, slots=True)
class GoesOn:
    """The last word of a message whose deploy is told in another one.

    Attributes:
        what: the deploy, as a title.
        channel, message: where it is told, as the Control API has them; empty where nobody says.
    """

    what: str
    channel: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class WatchReport:
    """What the fleet's channel is told once, and by itself.

    Attributes:
        wrong: what is no longer as it should be.
        well: what was wrong, and is so no more.
        flapping: what goes back and forth, of which nothing more is said until it rests.
        still: of whom something is wrong that was told before, as `Finding.of` has them.
        calls: who is called, as `FleetChannel.calls` has them.
        taken: when it was seen, Unix seconds.
    """

    wrong: tuple[Finding, ...] = ()
    well: tuple[Finding, ...] = ()
    flapping: tuple[Finding, ...] = ()
    still: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    taken: float = 0.0


Reply = (
    Notice
    | StatusReport
    | HistoryReport
    | PreflightReport
    | Question
    | Deploying
    | GoesOn
    | WatchReport
)


def is_final(reply: Reply) -> bool:
    """Whether this reply will not change by itself any more. A question is not final."""
    match reply:
        case Deploying(progress=progress):
            return progress.over
        case Question():
            return False
        case PreflightReport(checks=checks):
            return bool(checks)
        case _:
            return True


def user_id(asker: str, platform: str) -> int:
    """The number that an account has on that platform; 0 where it is none of it."""
    where, _, user = asker.partition(":")
    return int(user) if where == platform and user.isdecimal() else 0


def refused(message: str, code: str) -> Notice:
    return Notice((message,), Tone.REFUSED, code)


def too_old(ahead: float) -> Notice:
    """What is said of an ask that is too old by a clock that is so far ahead of AWS's."""
    wrong = abs(ahead) >= WRONG_SECONDS
    return Notice((TOO_OLD, skew.sentence(ahead)) if wrong else (TOO_OLD,))


def broken(message: str) -> Notice:
    return Notice((message,), Tone.BROKEN)


def asking(
    target: str, image_or_commit: str, asker: str, operation: str = "", override: str = ""
) -> Deploying:
    """What stands before the dispatch; true by itself if we die right after saying it."""
    begun = Progress(Stage.ASKING, target, image_or_commit, operation=operation, override=override)
    return Deploying(begun, asker)
