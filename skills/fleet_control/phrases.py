"""Phrases that the chat and the agent's command share."""

from collections.abc import Iterable
from datetime import UTC, datetime

from fleet_control.deploy_jobs import stopped_by, was_stopped
from fleet_control.duration import older, short
from fleet_control.fault import Fault, Problem
from fleet_control.holds import Holds
from fleet_control.ledger import Job, Revision, Run, person, seconds
from fleet_control.preflight import Check, Outcome
from fleet_control.registry_source import KnownRegistry
from fleet_control.status import FleetStatus, InstanceStatus

_PROBLEMS = {
    Problem.MISSING: "missing",
    Problem.NOT_HEALTHY: "not healthy",
    Problem.RETIRING: "retiring",
    Problem.CRASH_LOOPING: "crash-looping",
    Problem.TWO_HOSTS: "with two hosts",
    Problem.NOT_DEPLOYED: "not deployed yet",
    Problem.UNREGISTERED: "not in the registry",
    Problem.NOT_AS_DEPLOYED: "not as deployed",
    Problem.WRONG_TYPE: "of the wrong type",
    Problem.OLDER_IMAGE: "on an older image",
}

MARKS = {Outcome.WRONG: "✗", Outcome.UNSEEN: "?", Outcome.OK: "✓"}
SHORT = 7
SUBJECT_LENGTH = 80
# What GitHub calls `waiting`, of a run or a job; one that is queued waits for its turn.
REVIEW = "waiting for a reviewer on GitHub"


def state(status: str, conclusion: str | None) -> str:
    """How a run or a job stands, in GitHub's words where those say it."""
    return conclusion or (REVIEW if status == "waiting" else status)


def run_state(run: Run) -> str:
    """How a run stands; one that a person stopped has failed for GitHub alone."""
    by = stopped_by(run.jobs) if run.finished else ""
    return f"stopped by {person(by)}" if by else state(run.status, run.conclusion)


def job_state(job: Job) -> str:
    return "stopped" if was_stopped(job) else state(job.status, job.conclusion)


def conclusion(run: Run) -> str:
    """How a run ended that did not succeed, where it does not say why."""
    match run.conclusion:
        case "cancelled":
            return "Somebody cancelled it, or GitHub dropped it from a full queue."
        case "timed_out":
            return "It took longer than its workflow allows."
        case "startup_failure":
            return "GitHub could not start it: the workflow file is not valid."
        case "action_required":
            return "It waits for an approval on GitHub."
        case "failure":
            return "Its log does not say."
        case other:
            return f"GitHub says: {other}."


def bar(done: int, hosts: int, width: int) -> str:
    """How many hosts of a deploy are done: `▰▰▰▱▱▱▱ 3 of 7 hosts done`.

    A mark stands for a host where `width` suffices for that; the last one shows when all are done.
    """
    marks = min(hosts, width)
    full = done * marks // hosts
    return f"{'▰' * full}{'▱' * (marks - full)} {done} of {hosts} hosts done"


def problems(status: FleetStatus) -> list[str]:
    """How many instances have what: `1 missing`, `2 on an older image`; worst first."""
    return [f"{count} {_PROBLEMS[problem]}" for problem, count in status.counts.items()]


def of_the_fleet(fault: Fault) -> str:
    """What is wrong with no single instance, with its repair, in sentences."""
    words = f"{fault.words[:1].upper()}{fault.words[1:]}"
    return f"{words}. {fault.repair}".rstrip()


def revision(row: InstanceStatus, status: FleetStatus) -> str:
    """What a host was launched as: `0a1b2c3`, `0a1b2c3, 2 behind`; its tag may hold anything."""
    if row.host is None or not row.host.revision:
        return "unknown"
    ahead = status.ahead(row)
    return f"{row.host.revision[:SHORT]}, {ahead} behind" if ahead else row.host.revision[:SHORT]


def own_answer(row: InstanceStatus, now: float) -> str:
    """What a host said of itself last, and how long ago; empty where no run asked it."""
    answer = row.host.answer if row.host else None
    if answer is None:
        return ""
    ago = short(now - answer.when)
    moment = datetime.fromtimestamp(answer.when, UTC).strftime("%Y-%m-%d %H:%M UTC")
    word = "well" if answer.well else "ill"
    return f"its own answer: {word}, {ago} ago ({moment})" + (f": {answer.why}" * bool(answer.why))


def told(one: Revision, now: float) -> str:
    """A revision with its age and first line, as far as they are known."""
    short = one.commit[:SHORT]
    if not one.committed:
        return short
    # Anybody may have written it: it is no code of ours, and no page.
    subject = one.subject.replace("`", "")[:SUBJECT_LENGTH].strip()
    aged = f"{short}, {older(now - seconds(one.committed))} old"
    return f"{aged}: {subject}" if subject else aged


def held(holds: Holds) -> str:
    """What holds the fleet, or why that can't be seen; empty where nothing does."""
    if holds.unseen:
        return f"I can't see whether the fleet is frozen. {holds.unseen}"
    return holds.freeze.sentence if holds.freeze else ""


def registry_age(known: KnownRegistry, now: float) -> str:
    """How old what we know of the registry is, and why; empty when it is fresh."""
    if known.fresh:
        return ""
    if not known.is_read:
        return f"These are EC2's hosts, held against no registry. {known.trouble}"
    return f"What I know of the registry is {older(now - known.read_at)} old. {known.trouble}"


def ready(checks: Iterable[Check]) -> str:
    """What a preflight came to: `Ready`, `2 things are wrong`."""
    outcomes = [one.outcome for one in checks]
    wrong = outcomes.count(Outcome.WRONG)
    if wrong:
        return "1 thing is wrong" if wrong == 1 else f"{wrong} things are wrong"
    return "Ready, as far as can be seen from here" if Outcome.UNSEEN in outcomes else "Ready"


def worst_first(checks: Iterable[Check]) -> tuple[Check, ...]:
    """What is wrong, what is not seen, what is well; each in its order. What is not seen for one
    reason, with one advice, is one, with all their names."""
    order = list(MARKS)
    names: dict[Check, list[str]] = {}
    for one in sorted(checks, key=lambda one: order.index(one.outcome)):
        alike = one._replace(name="") if one.outcome is Outcome.UNSEEN else one
        names.setdefault(alike, []).append(one.name)
    return tuple(one._replace(name=", ".join(of)) for one, of in names.items())
