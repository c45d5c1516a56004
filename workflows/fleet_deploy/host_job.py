"""The job `host`: replace one host, or create it, and wait until it is healthy."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from fleet_control.deploy_jobs import EndState, begins, left, ran_before
from fleet_control.ec2 import describe_images
from fleet_control.error import Ec2Error
from fleet_control.host_answer import HostAnswer
from fleet_control.last_words import LastWords
from fleet_control.status import start_seconds
from workflows.fleet_deploy import (
    forgotten_host,
    guard,
    health,
    health_report,
    host_log,
    known_machines,
    launch_check,
    lost_lock,
    removal,
    roll,
    runner,
    summary,
)
from workflows.fleet_deploy.change import host_address
from workflows.fleet_deploy.health_report import HealthReport, ReportError, Wanted
from workflows.fleet_deploy.job import (
    JobContext,
    planned,
    refuse,
    spare_the_caller,
    telling_where,
)
from workflows.fleet_deploy.launch import launches
from workflows.fleet_deploy.runner import Annotation
from workflows.fleet_deploy.stopped import Stopped

# How long the host before may have no answer: it gave a good one a turn ago. One that restarts
# meanwhile is not steady again so soon.
BEFORE_SECONDS = 60.0

log = logging.getLogger(__name__)


def run(job: JobContext) -> tuple[Annotation, ...]:
    (instance,) = runner.needed(job.environ, "INSTANCE")
    plan = planned(job.environ)
    earlier = roll.before(plan.roll, instance)
    turn = plan.roll[len(earlier)]
    if not plan.is_of(turn):
        raise Stopped("Bad roll", f"What this job was told of {turn.id} is not what the roll says.")
    began = job.clock.monotonic()
    notices = [*lost_lock.noted(job, turn.name)]
    try:
        spare_the_caller(job, turn.id)
        with _untouched(turn.id):
            job = _as_patient(job, turn)
        made = _replace_in_turn(job, turn, earlier)
        watch = _wait_until_healthy(job, turn, made)
    except Stopped as stop:
        if left(turn.id, str(stop)) is EndState.UNTOUCHED:
            runner.write_outputs(job.environ, {"untouched": "true"})
        raise telling_where(job, plan.roll, stop) from stop
    took = summary.span(job.clock.monotonic() - began)
    log.info("fleet.replaced instance=%s machine=%s took=%s", turn.id, watch.machine, took)
    runner.write_summary(job.environ, summary.replaced(turn, watch.machine, took))
    notices += [Annotation("Not noted", why)] if (why := watch.note()) else []
    if watch.answer and (told := health_report.remarks(watch.answer)):
        runner.write_outputs(job.environ, {"remarks": told})
        notices.append(Annotation("On the way", f"{turn.id} is healthy, and on the way {told}."))
    return tuple(notices)


def _as_patient(job: JobContext, turn: roll.HostTurn) -> JobContext:
    """The job, with the deadline for a host of this image and revision; Stopped where it could not
    be done by then."""
    images = describe_images(job.cloud.ec2)
    image = next((one for one in images if one.id == turn.image), None)
    within = start_seconds(turn.revision, image)
    pace = health.read_pace(job.environ, within)
    if pace.steady >= pace.deadline:
        raise Stopped(
            "Not set up",
            f"FLEET_STEADY_SECONDS is {pace.steady:g}, and a host is waited for {pace.deadline:g} "
            "seconds: it must be less, or no deploy succeeds.",
        )
    return replace(job, pace=pace)


def _replace_in_turn(
    job: JobContext, turn: roll.HostTurn, earlier: tuple[roll.HostTurn, ...]
) -> str:
    """The new machine's id, or empty where the engine did not name it."""
    with TemporaryDirectory() as folder:
        file = Path(folder).resolve() / "plan"
        with _untouched(turn.id):
            machines = _may_begin(job, turn, earlier)
            _plan(job, turn, file, machines)
        if turn.clears:
            with _untouched(turn.id):
                machines = _clear(job, turn, file, machines)
            turn = replace(turn, adopt=False)  # done by now
            with _untouched(turn.id, roll.cleared(turn)):
                _plan(job, turn, file, machines)
        try:
            made = job.engine.apply(file)
        except Stopped as stop:
            # Perhaps before any move of the host, or between the old machine's end and the new.
            now = _left(job, turn)
            why = f"{begins(turn.id, now) if now else ''}{roll.cleared(turn)}{stop}"
            raise stop.saying(why) from stop
    return made.get(host_address(turn.id), "")


@contextmanager
def _untouched(id_: str, but: str = "") -> Iterator[None]:
    """Add to every error raised here that this host was not touched; and, `but`, what was
    removed before."""
    try:
        yield
    except Ec2Error as error:
        why = f"{begins(id_, EndState.UNTOUCHED)}{but}{error}"
        raise Stopped("EC2 is silent", why) from error
    except Stopped as stop:
        why = f"{begins(id_, EndState.UNTOUCHED)}{but}{stop}"
        raise stop.saying(why) from stop


def _left(job: JobContext, turn: roll.HostTurn) -> EndState | None:
    """Where this host is now, or None where EC2 does not tell."""
    try:
        view = job.look({turn.seen: turn.id} if turn.seen else {})
    except Ec2Error:
        return None
    row = view.there.get(turn.id)
    machines = {host.id for host in row.staying} if row else set()
    if machines - {turn.seen}:
        return EndState.NEW
    if view.unsure:
        return None
    return EndState.UNMOVED if machines else EndState.GONE


def _may_begin(
    job: JobContext, turn: roll.HostTurn, earlier: tuple[roll.HostTurn, ...]
) -> dict[str, str]:
    """The machines that are known, each with its instance; Stopped where it is not this one's turn.

    Every host before this one is as it should be; the last of them says so itself. That one is
    enough: had an earlier host said otherwise, the host after it had not moved.
    """
    job.hosts.refuse_an_old_control()
    job.engine.init()
    in_state = job.engine.machines()
    machines = {**in_state, **({turn.seen: turn.id} if turn.seen else {})}
    view = known_machines.settled(job, machines)
    known_machines.one_machine_each(view, [turn.id], in_state)
    why, words = roll.hindrance(turn, earlier, view.there), None
    if not why and earlier:
        last = earlier[-1]
        watch = _HostWatch(job, last, roll.machines(view.there).get(last.id, ""))
        within = health.Polling(min(job.pace.deadline, BEFORE_SECONDS), job.pace.poll)
        trouble = health.wait(watch.own_word, within, job.clock)
        why = trouble and f"the roll stopped at {trouble}"
        words = watch.last_words() if trouble else None
        watch.note()
    if why:
        raise Stopped("Roll stopped", f"{why}.", last_words=words)
    return machines


def _plan(job: JobContext, turn: roll.HostTurn, file: Path, machines: Mapping[str, str]) -> None:
    """Plan into that file what may be applied of it; Stopped where the guard or EC2 says no."""
    plan = job.engine.plan_hosts(file, turn.image, [turn.id])
    if turn.adopt:
        forgotten_host.adopt(job, turn, plan)
        plan = job.engine.plan_hosts(file, turn.image, [turn.id])
    seen = known_machines.settled(job, machines).machines
    refuse(guard.rolled(plan, [turn.id], turn.image, seen, job.expectation, job.asked.caller))
    goes = [machine for machine, id_ in machines.items() if id_ in turn.clears]
    launch_check.refuse(job.cloud, launches(plan, [turn.id]), goes)


def _clear(
    job: JobContext, turn: roll.HostTurn, file: Path, machines: Mapping[str, str]
) -> dict[str, str]:
    """Remove what left the registry and would share something with this host.

    The machines that are known then.
    """
    plan = job.engine.plan_removal(file, turn.image, turn.clears)
    seen = known_machines.settled(job, machines).machines
    violations = guard.finished(plan, seen, job.expectation, job.asked.caller)
    refuse((*violations, *removal.beyond(plan, turn.clears)))
    job.engine.apply(file)
    cleared = {machine for machine, id_ in machines.items() if id_ in turn.clears}
    if left := sorted(cleared & job.look(machines).staying):
        raise Stopped("Not removed", f"{left[0]} was to be removed first, and still runs.")
    log.info("fleet.cleared instance=%s removed=%s", turn.id, ",".join(turn.clears))
    runner.write_summary(job.environ, summary.cleared(turn))
    return {machine: id_ for machine, id_ in machines.items() if machine not in cleared}


def _wait_until_healthy(job: JobContext, turn: roll.HostTurn, made: str) -> "_HostWatch":
    """What was seen of the new machine, once its status checks and itself say that it is well."""
    watch = _HostWatch(job, turn, made)
    try:
        missing = health.wait(lambda: watch.checks() or watch.own_word(), job.pace, job.clock)
    except Stopped as stop:
        raise watch.unknown(stop.title, str(stop)) from stop
    if watch.blind:
        raise watch.unknown("EC2 is silent", watch.blind)
    if missing:
        watch.note()
        within = summary.span(job.pace.deadline)
        ran = ran_before(turn.ran) if turn.ran != turn.revision[: len(turn.ran)] else ""
        now = _left(job, turn)
        ill = begins(turn.id, EndState.REPLACED_ILL if turn.seen else EndState.CREATED_ILL)
        if now in (EndState.GONE, EndState.UNMOVED):
            ill = f"{begins(turn.id, now)}it did not become healthy"
        why = f"{ill} within {within}: {missing}. {ran}".rstrip()
        raise Stopped("Not healthy", why, last_words=watch.last_words())
    return watch


@dataclass(slots=True)
class _HostWatch:
    """Looks at a new host, and remembers what was seen of it.

    Attributes:
        machine: its id, or empty where neither the engine nor EC2 named it.
        blind: why the last look at EC2 showed nothing, or empty.
        answer: the last that it gave.
        said: how it was by that, or that it gave none; None where nobody could ask it.
    """

    job: JobContext
    turn: roll.HostTurn
    machine: str
    blind: str = ""
    answer: HealthReport | None = None
    said: HostAnswer | None = None

    def checks(self) -> str:
        """What is missing until its status checks are good, or nothing."""
        machines = {one: self.turn.id for one in (self.turn.seen, self.machine) if one}
        try:
            view = self.job.look(machines)
        except Ec2Error as error:
            self.blind = str(error)
            return self.blind
        self.blind = f"EC2 does not show {view.unsure[0]}." if view.unsure else ""
        if self.blind:
            return self.blind
        row = view.there.get(self.turn.id)
        if row and row.host and row.host.id != self.turn.seen:
            self.machine = row.host.id
        return roll.unfinished(self.turn, row)

    def own_word(self) -> str:
        """What is missing by its own report, or nothing."""
        wanted = Wanted(self.turn.id, self.turn.revision, self.job.pace.steady)
        asked = True
        try:
            self.answer = self.job.hosts.ask(self.machine)
            trouble = health_report.missing(self.answer, wanted)
        except ReportError as error:
            trouble, asked = str(error).removesuffix("."), not isinstance(error, health.HostUnasked)
        if asked:
            self.said = HostAnswer(not trouble, self.job.clock.now(), trouble)
        return trouble and f"{self.turn.id} ({self.machine}): {trouble}"

    def last_words(self) -> LastWords | None:
        """The last log lines of its units; where it never reported, of its console."""
        if not self.job.hears:
            return None
        if self.answer:
            return host_log.told(self.turn.id, self.answer.journal)
        said = host_log.console(self.job.cloud.ec2, self.machine) if self.machine else ""
        return host_log.told(self.turn.id, said)

    def note(self) -> str:
        """Tag the machine with its last answer; why that could not be done, or nothing."""
        return health.note(self.job.cloud.ec2, self.machine, self.said) if self.said else ""

    def unknown(self, title: str, why: str) -> Stopped:
        """The error for a host that was moved and whose health could not be learnt."""
        was, now = self.turn.seen or "no host", self.machine or "a new machine"
        return Stopped(
            title,
            f"{roll.moved(self.turn)} ({was} -> {now} on {self.turn.image}), but I can't say if it "
            f"is healthy: {why} Look at `/fleet status`; deploy it again if it is not healthy.",
        )
