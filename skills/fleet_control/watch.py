"""Watch the fleet: which findings of many readings are worth telling, each once, and once its end.

Pure: whoever reads passes each reading on, with the state that the one before left.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from fleet_control.caller import is_instance_id
from fleet_control.deployed import Deployed
from fleet_control.fault import SEVERITY, Fault, Problem, missing
from fleet_control.finding import Finding, of_many
from fleet_control.status import FleetStatus, InstanceStatus
from fleet_control.watch_report import FLAPS, FLAPS_WITHIN_SECONDS, Report, report
from fleet_control.watch_state import (
    CONCERNS,
    Concern,
    Course,
    CourseKey,
    Owed,
    Telling,
    WatchState,
)

# What was seen so often, and for so long without a reading to the contrary, is wrong; what was gone
# for so long is over.
READINGS = 3
SEEN_SECONDS = 300
GONE_SECONDS = 600
# What comes due so soon after another is told with it.
TOGETHER_SECONDS = 120
# Between two readings so far apart anything may have been.
GAP_SECONDS = 300
# What flaps is told of again once it was there for so long, or was gone for longer than it ever is
# between two flaps: else it would be well, and flap again, every two hours.
RESTED_SECONDS = 1800
CALM_SECONDS = 3600
# Of more instances at once it is the fleet that something is wrong with, and it is until so few are
# left.
MANY = 8
FEW = 4

_OF_HOSTS = (Concern.HOST, Concern.TWO_HOSTS, Concern.UNREGISTERED, Concern.NOT_AS_DEPLOYED)
Observed = tuple[Mapping[CourseKey, Finding], Collection[CourseKey]]


def is_reading(status: FleetStatus) -> bool:
    """Whether it tells anything: that EC2 shows no machine at all is no fact, and a registry that
    was never read at its source may be one that no other bot goes by."""
    return status.machines > 0 and bool(status.known.version)


def findings(status: FleetStatus, had_host: Collection[str] = ()) -> tuple[Finding, ...]:
    """What is wrong by this reading. That a newer image is there, or another type asked for, is for
    whoever deploys next. What had a host is without one now, whatever the ledger knows."""
    of_rows = (
        (_named(row), _lost(row.id, fault, had_host, status.taken))
        for row in status.rows
        for fault in row.faults
        # Of a machine that no entry asks for it matters only that it is there.
        if row.condition is not None or fault.problem is Problem.UNREGISTERED
    )
    of_fleet = (("", fault) for fault in status.faults)
    return tuple(
        Finding(of, fault.problem, fault.words.removeprefix(f"{of} "), fault.repair)
        for of, fault in (*of_rows, *of_fleet)
        if fault.problem in CONCERNS
    )


def _lost(id_: str, fault: Fault, had_host: Collection[str], now: float) -> Fault:
    is_lost = fault.problem is Problem.NOT_DEPLOYED and id_ in had_host
    return missing(id_, None, now) if is_lost else fault


def with_hosts(state: WatchState, status: FleetStatus) -> WatchState:
    """The state that knows of each instance whether it was ever seen to have a host."""
    have = {row.id for row in status.rows if row.host}
    had = (id_ for id_ in status.registry.ids if id_ in state.had_host or id_ in have)
    return replace(state, had_host=frozenset(had))


def without_removed(state: WatchState, status: FleetStatus) -> WatchState:
    """The state without what is known of instances that the registry has no longer: that one is
    well again would be untrue. A machine that is left of one is told of as that."""
    kept = {
        key: one
        for key, one in state.courses.items()
        if not key.of or key.concern is Concern.UNREGISTERED or key.of in status.registry
    }
    return replace(state, courses=kept)


def _named(row: InstanceStatus) -> str:
    """A machine may be named anything."""
    return row.host.id if row.host and not is_instance_id(row.id) else row.id


def unsure(status: FleetStatus, ledger: Deployed) -> frozenset[str | CourseKey]:
    """The instances of which this reading tells nothing, since they are being replaced, by a deploy
    or otherwise; and of what else it can't tell whether it is so."""
    replaced = frozenset(row.id for row in status.rows if row.replacing)
    moving = ledger.moving((row.id for row in status.rows), status.taken)
    unheld = frozenset(
        CourseKey(row.id, Concern.NOT_AS_DEPLOYED)
        for row in status.rows
        if row.host is None or ledger.left(row.host) is None
    )
    token = {CourseKey("", Concern.TOKEN)} if status.known.token_ends is None else set()
    image = set() if status.images else {CourseKey("", Concern.IMAGE)}
    return replaced | moving | unheld | token | image


def step(
    state: WatchState, found: Iterable[Finding], busy: Collection[str | CourseKey], now: float
) -> tuple[WatchState, Report | None]:
    """The state after this reading, and what is to be told by now, which is pending in it.

    `busy` is of what the reading tells nothing: instances, and single concerns.
    """
    moment = int(now)
    before = dict(state.courses)
    if abs(moment - state.read) > GAP_SECONDS:
        before = {key: one.interrupted for key, one in before.items()}
    seen, unseen = _observed(before, found, busy)
    courses = {}
    for key in {**before, **seen}:
        course = before[key] if key in before else Course(seen[key].problem)
        course = _next(course, seen.get(key), moment, counts=key not in unseen)
        if course.present or course.is_known or course.came:
            courses[key] = course
    pending = [*state.pending]
    for key, telling in _due(courses, moment).items():
        pending.append(Owed(telling, key.of, _problem(courses[key], telling)))
        courses[key] = _told(courses[key], telling)
    after = replace(state, courses=_uncovered(courses), read=moment, pending=tuple(pending))
    is_news = len(pending) > len(state.pending)
    return after, report(after, seen.values()) if is_news else None


def _observed(
    before: Mapping[CourseKey, Course],
    found: Iterable[Finding],
    busy: Collection[str | CourseKey],
) -> Observed:
    """The worst of each concern, and the keys of which nothing is known.

    What many have alike is the fleet's, too, until that is so of a few only.
    """
    seen: dict[CourseKey, Finding] = {}
    for one in sorted(found, key=lambda one: SEVERITY[one.problem]):
        seen.setdefault(CourseKey(one.of, CONCERNS[one.problem]), one)
    unseen = {key for key in (*before, *seen) if key.of in busy or key in busy}
    moving = sum(not isinstance(one, CourseKey) for one in busy)
    for concern in _OF_HOSTS:
        ill = [one for key, one in seen.items() if key.concern is concern and key not in unseen]
        whole = CourseKey("", concern)
        course = before.get(whole)
        begun = course is not None and (course.is_known or course.present)
        many = FEW if begun else MANY
        if len(ill) > many:
            seen[whole] = of_many(ill, many)
        elif begun and len(ill) + moving > FEW:
            unseen.add(whole)
    return seen, unseen


def _rank(course: Course) -> int:
    """How bad it is or was told to be: the lower, the worse."""
    return min(SEVERITY[one] for one in (course.problem, course.told) if one)


def _next(course: Course, seen: Finding | None, now: int, *, counts: bool) -> Course:
    """The course after a reading in which it was seen, or was not, or which tells nothing of it."""
    if not counts:
        return course.interrupted
    there = seen is not None
    came = course.came
    if course.present and not there:
        came = (*came, course.since)[-FLAPS:]
    came = tuple(one for one in came if one > now - FLAPS_WITHIN_SECONDS)
    goes_on = course.present is there
    after = replace(
        course,
        problem=seen.problem if seen else course.problem,
        present=there,
        since=course.since if goes_on else now,
        count=course.count + 1 if goes_on else 1,
        came=came,
    )
    if not (seen and course.told and SEVERITY[seen.problem] < SEVERITY[course.told]):
        return replace(after, worse_since=0, worse_count=0)
    worse_since = course.worse_since if course.worse_count else now
    return replace(after, worse_since=worse_since, worse_count=course.worse_count + 1)


def _due(courses: Mapping[CourseKey, Course], now: int) -> dict[CourseKey, Telling]:
    """What is to be told now; nothing while more of it comes due in a moment."""
    coming = {key: due for key, course in courses.items() if (due := _comes_due(course))}
    is_due = {key for key, (_, at, count) in coming.items() if at <= now and count >= READINGS}
    over = {key for key in is_due if coming[key][0] is Telling.WELL}
    held = {
        key.concern: _rank(course)
        for key, course in courses.items()
        if not key.of and (course.present or course.is_known or key in is_due) and key not in over
    }
    coming = {key: due for key, due in coming.items() if not _is_in(held, key, courses[key])}
    ready = {key: due[0] for key, due in coming.items() if key in is_due}
    if not ready:
        return {}
    last = min(coming[key][1] for key in ready) + TOGETHER_SECONDS
    later = any(at <= last for key, (_, at, _) in coming.items() if key not in ready)
    return {} if later and now < last else ready


def _uncovered(courses: Mapping[CourseKey, Course]) -> dict[CourseKey, Course]:
    """These without each of what the channel knows as the fleet's; who still has it once that is
    over is told of with its end, or soon after where it came and went."""
    covered = {
        key.concern: SEVERITY[one.told or one.problem]
        for key, one in courses.items()
        if not key.of and one.is_known and (one.flapping or one.present is not False)
    }
    return {key: one for key, one in courses.items() if not _is_in(covered, key, one)}


def _is_in(whole: Mapping[Concern, int], key: CourseKey, course: Course) -> bool:
    """Whether what one has is no worse than what the fleet has of that."""
    return bool(key.of) and key.concern in whole and _rank(course) >= whole[key.concern]


def _comes_due(course: Course) -> tuple[Telling, int, int] | None:
    """What of it will be told when, if it goes on so, and how many readings have shown that."""
    if course.present is None:
        return None
    kind = Telling.WRONG if course.present else Telling.WELL
    if course.flapping:
        rests = RESTED_SECONDS if course.present else CALM_SECONDS
        return kind, course.since + rests, course.count
    if len(course.came) >= FLAPS:
        return Telling.FLAPPING, course.since, READINGS
    if course.worse_count:
        return kind, course.worse_since + SEEN_SECONDS, course.worse_count
    if course.present is (course.told is not None):
        return None
    lasts = SEEN_SECONDS if course.present else GONE_SECONDS
    return kind, course.since + lasts, course.count


def _problem(course: Course, kind: Telling) -> Problem:
    return course.told or course.problem if kind is Telling.WELL else course.problem


def _told(course: Course, kind: Telling) -> Course:
    """The course once that was told of it."""
    came = () if course.flapping else course.came
    told = course.problem if kind is Telling.WRONG else None
    return replace(
        course,
        told=told,
        flapping=kind is Telling.FLAPPING,
        came=came,
        worse_since=0,
        worse_count=0,
    )
