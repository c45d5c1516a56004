"""Rolls that ended before the tests' clock begins, as the ledger has them with their jobs."""

from typing import Any, NamedTuple

from clawbot.replies import HostMove, Question
from fleet_control.deploy_jobs import MOVING_STEP
from fleet_control.host_change import RAN
from fleet_control.ledger import Job, Revision, Run, Step
from tests.clawbot.control_api import run
from tests.discord.ec2 import NEWEST, NOW, OLDER

WAS, IS = "1111111", "2222222"
MADE_OF = Revision("2" * 40, "Hosts greet.", "2026-09-20T00:00:00Z")


class Moved(NamedTuple):
    """What a roll did with one host; `how` its job ended, None where it never began."""

    id: str
    old: str = OLDER
    ran: str = WAS
    new: str = NEWEST
    revision: str = IS
    how: str | None = "success"


def ended(id_: int) -> str:
    """When the run of that id was over; all of them are before the tests' now."""
    return f"2026-09-21T{id_ // 60:02}:{id_ % 60:02}:00Z"


def roll(id_: int, *hosts: Moved, conclusion: str = "success", **more: Any) -> Run:
    known = {"target": "all", "made_of": MADE_OF, "updated": ended(id_)} | more
    jobs = (Job("plan", "completed", "success", ended(id_), ended(id_)), *map(_job, hosts))
    jobs = tuple(one._replace(completed_at=ended(id_)) for one in jobs)
    return run(id_, "completed", conclusion, jobs=jobs, **known)


def stopped(id_: int = 7, *left: str, **more: Any) -> Run:
    """A roll over claw-1 that ended well, claw-2 that failed, and others that it did not reach."""
    hosts = (Moved("claw-1"), Moved("claw-2", how="failure"))
    untouched = (Moved(id_, how=None) for id_ in left or ("claw-3",))
    return roll(id_, *hosts, *untouched, conclusion="failure", **more)


LOCK = "4f0c3a2e-5a0b-4b8e-9d0e-6f1f2c7d8a90"
LOCKED = 1_789_990_000.0


def lock(**more: Any) -> dict[str, Any]:
    """A lock as `holds` tells of it: a person's own, or what `more` says."""
    known = {"id": LOCK, "who": "sam@desk", "created": LOCKED}
    return {**known, "run": None, "job": None, "breakable": None, **more}


def _job(one: Moved) -> Job:
    name = f"{one.id}: {one.old or 'none'} -> {one.new} @{one.revision}"
    if one.how is None:
        return Job(name, "completed", "cancelled", None, None, ())
    steps = (
        Step(f"{RAN}{one.ran}", "completed", "success"),
        Step(MOVING_STEP, "completed", one.how),
    )
    return Job(name, "completed", one.how, None, None, steps)


def longest(hosts: int, asker: str) -> Question:
    """A question about so many hosts, all of it as long as it gets, and of what markup is made."""
    ids = tuple(f"{n:03}-{'c' * 28}" for n in range(hosts))
    told = f"{NEWEST}, 40 days old, revision 2222222, 326 days old: {'*' * 80}"
    brief = f"stays: {'There is nothing to go back to. ' * 5}"
    return Question(
        target="9" * 19,
        image_or_commit="",
        asker=asker,
        asked="9" * 18,
        expires=NOW + 120,
        why="This is said before. " * 25,
        removed=ids,
        hosts=tuple(HostMove(id_, brief, told, told, told) for id_ in ids),
        operation="resume",
        override="freeze",
        plan="f" * 12,
    )
