"""The plain words of a reply that every platform says alike: no markup, no lines, no colours."""

from collections.abc import Callable
from typing import Any

from clawbot.page import Page, cut
from clawbot.progress import HostProgress, HostStage, Progress, Stage
from clawbot.replies import Deploying, HostMove, PreflightReport, Question
from fleet_control import phrases
from fleet_control.duration import exact, older
from fleet_control.history import HistoryRow
from fleet_control.host import Health, HostState
from fleet_control.ledger import Operation, Revision, person
from fleet_control.policy import Condition
from fleet_control.seed import is_revision
from fleet_control.status import FleetStatus, InstanceStatus

# Of which units restarted; twelve hosts may have done so.
_REMARKS = 80
# Of so many hosts a question tells all, of more a line each; and no more of them than fit into a
# message of every platform.
HOSTS_IN_FULL, HOSTS_AT_ALL = 6, 15
# The button that takes up a roll that stopped.
GO_ON = "Go on"
STOP = "Stop the roll"
HOST_STAGES = {
    HostStage.WAITING: "queued",
    HostStage.REPLACING: "replacing",
    HostStage.HEALTHY: "replaced, healthy",
    HostStage.FAILED: "failed",
    HostStage.UNTOUCHED: "untouched",
}


def host_stage(host: HostProgress) -> str:
    """Where one host of a deploy is; one that was not there before is created, not replaced."""
    created = host.stage is HostStage.HEALTHY and not host.old
    told = "created, healthy" if created else HOST_STAGES[host.stage]
    return f"{told} ({cut(host.remarks, _REMARKS)})" if host.remarks else told


def becomes(host: HostProgress) -> str:
    """The image that a host of a deploy gets, and its revision where that is told of each."""
    return f"{host.new} @{host.revision}" if host.revision else host.new


def what(operation: str, target: str) -> str:
    """What a run does, as a title: `Deploy claw-2`, `Unlock the state`."""
    match operation:
        case Operation.ROLLBACK:
            return f"Roll back {target}"
        case Operation.RESUME:
            return f"Resume run {target}"
        case Operation.UNLOCK:
            return "Unlock the state"
        case _:
            return f"Deploy {target}".rstrip()


def own(operation: str, target: str) -> tuple[str, str]:
    """What somebody asked for, as it goes on after `your`: `deploy of` and `claw-2`."""
    match operation:
        case Operation.ROLLBACK:
            return "rollback of", target
        case Operation.RESUME:
            return "resume of", f"run {target}"
        case Operation.UNLOCK:
            return "unlock of", "the state"
        case _:
            return "deploy of", target


def left(operation: str, target: str) -> str:
    """What is said of a no; the target stands in backquotes."""
    match operation:
        case Operation.RESUME:
            return f"Nothing was deployed: what run `{target}` left stays as it is."
        case Operation.UNLOCK:
            return f"Nothing was done: the lock `{target}` stays."
        case _:
            return f"Nothing was deployed: `{target}` was left as it is."


def yes(operation: str) -> str:
    """What the button says that begins it."""
    match operation:
        case Operation.ROLLBACK:
            return "Roll back"
        case Operation.DEPLOY:
            return "Deploy"
        case _:
            return operation.capitalize()


def overriding(override: str) -> str:
    """What a deploy does not keep to, to stand after its title; empty for nothing."""
    return ", overriding the freeze" if override else ""


def hosts(question: Question) -> tuple[tuple[tuple[str, tuple[str, ...]], ...], str]:
    """Each host that a yes is about, with the lines that tell what becomes of it; and how many more
    there are."""
    in_full = len(question.hosts) <= HOSTS_IN_FULL
    shown = question.hosts[:HOSTS_AT_ALL]
    left = len(question.hosts) - len(shown)
    told = tuple((one.id, _moved(one) if in_full else (one.brief,)) for one in shown)
    return told, f"and {left} more" if left else ""


def _moved(one: HostMove) -> tuple[str, ...]:
    then = f"→ {one.then}" if one.then else f"It stays as it is. {one.note}"
    return (one.now, then, one.note) if one.then and one.note else (one.now, then)


def moves(question: Question) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What a yes would do, as (`Replaces`, ids) and its like; nothing of what it would not."""
    all_of_it = (
        ("Replaces", question.replaced),
        ("Creates", question.created),
        ("Removes if made by a deploy", question.removed),
    )
    return tuple((word, ids) for word, ids in all_of_it if ids)


def counted(status: FleetStatus) -> str:
    """How many instances there are, and how many of them have what: `2 instances, 2 healthy`."""
    count = sum(row.condition is not None for row in status.rows)
    what = "instance" if status.known.is_read else "host"
    healthy = sum(row.condition is Condition.HEALTHY for row in status.rows)
    replacing = sum(row.replacing for row in status.rows)
    said = [f"{count} {what}{'s' if count != 1 else ''}", f"{healthy} healthy"]
    said += [f"{replacing} being replaced"] * bool(replacing)
    return ", ".join(said + phrases.problems(status))


def preflight(report: PreflightReport) -> str:
    """What a preflight came to, or that it is still being looked at."""
    if report.checks:
        return phrases.ready(report.checks)
    return f"Looking at {report.looked_at} things, 10 seconds at most"


def state(row: InstanceStatus) -> str:
    """What an instance's host is doing, in a word."""
    if row.host is None:
        return "replacing" if row.replacing else "missing"
    if row.replacing:
        return "replacing" if row.leaving or row.host.state is HostState.PENDING else "starting"
    if row.host.state is not HostState.RUNNING:
        return row.host.state.value
    return "healthy" if row.host.health is Health.OK else row.host.health.value


def image(row: InstanceStatus, status: FleetStatus) -> str:
    """How a host's image stands to the newest: `newest`, `3 days older`, `not ours`."""
    if row.is_newest:
        return "newest"
    if row.image and status.newest:
        return f"{older(status.newest.created - row.image.created)} older"
    return "not ours"


def named(image_or_commit: str) -> str:
    """With what a deploy is asked for; empty for the newest."""
    kind = "commit" if is_revision(image_or_commit) else "image"
    return f"With the {kind} {image_or_commit}." if image_or_commit else ""


def as_of_now(named: str, status: FleetStatus, now: float) -> str:
    """Which revision a deploy would be, asked for with what was `named`; that is settled when its
    turn comes. Empty where it can't be said."""
    built = next((one.commit for one in status.images if one.id == named), "")
    wanted = built or named
    known = (one for one in status.known.revisions if one.commit.startswith(wanted))
    found = next(known, Revision(built) if built else None)
    return f"As of now: revision {phrases.told(found, now)}" if found else ""


def made_of(seen: Progress) -> str:
    """What a deploy's hosts become; its age is that of when it was asked for, and stays."""
    return f"Revision {phrases.told(seen.made_of, seen.asked)}" if seen.made_of else ""


def stage(seen: Progress) -> str:
    """Where a deploy is, in a line."""
    match seen.stage:
        case Stage.QUEUED | Stage.RUNNING if seen.review:
            return phrases.REVIEW
        case Stage.ASKING:
            return "asking … If this has not changed in two minutes, look at the runs first."
        case Stage.QUEUED:
            return f"queued, {seen.ahead} before it" if seen.ahead else "queued"
        case Stage.RUNNING:
            return _doing(seen)
        case _:
            return _end(seen)


def _end(seen: Progress) -> str:
    match seen.stage:
        case Stage.UNKNOWN:
            return "can't be confirmed"
        case Stage.STOPPED:
            return f"stopped by {_stopper(seen)}"
        case ended:
            unlocked = seen.operation == Operation.UNLOCK and ended is Stage.DONE
            said = "unlocked" if unlocked else str(ended)
            return f"{said} after {exact(seen.took)}" if seen.took else said


def _doing(seen: Progress) -> str:
    if seen.operation == Operation.UNLOCK:
        return "unlocking"
    if not seen.hosts:
        return "planning"
    is_done = all(host.stage is HostStage.HEALTHY for host in seen.hosts)
    return "finishing" if is_done else "replacing"


def _stopper(seen: Progress) -> str:
    """Who stopped it, and after which host."""
    done = [host.id for host in seen.hosts if host.stage is HostStage.HEALTHY]
    after = f"after {done[-1]}" if done else "before any host"
    return f"{person(seen.stopped_by)} {after}"


def paged(shown: Page[Any], order: str = "worst first") -> str:
    """Which page is shown; empty where there is only one and it was asked for."""
    here = f"page {shown.number + 1} of {shown.count}"
    if shown.number != shown.asked:
        return f"there is no such page: this is {here}"
    return f"{here}, {order}" if shown.count > 1 else ""


def done(row: HistoryRow) -> str:
    """What a run of the history was asked to do, as a title."""
    return f"{what(row.operation, row.target)}{overriding(row.override)}"


def asked_by(reply: Deploying) -> str:
    """Who asked for a deploy; empty where that is not known."""
    return f"Asked for by {reply.asked_by}" if reply.asked_by else ""


def goes_on(where: str) -> str:
    """What is said in a message in which a deploy is told no more; `where` that goes on stands
    after it, or is empty for a place that nobody says."""
    told = f"it goes on{where}" if where else "another bot tells how it goes"
    return f"This is no longer kept up to date: {told}."


def pointing(where: str) -> str:
    """What is said to a reply whose bot is away, of where its deploy is told."""
    return f"The bot that was asked here is away. Its deploy goes on {where}."


def moments(seen: Progress, moment: Callable[[float], str]) -> str:
    """Since when a deploy runs, and about when its turn comes and it ends, each as `moment` has it;
    empty once it is over, and where nothing of it is known.

    The words hold whether that is still to come or has gone by: nothing is edited when it does.
    """
    known = (("began", seen.began), ("turn expected", seen.begins), ("end expected", seen.ends))
    told = ", ".join(f"{words} {moment(when)}" for words, when in known if when and not seen.over)
    return f"{told[:1].upper()}{told[1:]}"


def link(url: str) -> str:
    """The address, where it is one that can be opened; else nothing."""
    is_one = url.startswith(("https://", "http://")) and url.isprintable() and " " not in url
    return url if is_one else ""


def listed(ids: tuple[str, ...], most: int = 12) -> str:
    more = f" and {len(ids) - most} more" if len(ids) > most else ""
    return ", ".join(ids[:most]) + more
