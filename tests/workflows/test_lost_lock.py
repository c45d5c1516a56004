"""A lock that is there already: whose it is, when a run breaks it, and when a person has to."""

import json
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from fleet_control import state_lock
from fleet_control.ledger import Entry
from tests.workflows import plans
from tests.workflows.conftest import NEW, OLD, LocalRunner, handed_to, iso
from tests.workflows.hasty_time import HastyTime
from tests.workflows.loopback import raw_job, raw_run
from workflows.fleet_deploy import control_table, lock

ONE, TWO = "clawdinator-1", "clawdinator-2"
TABLE = "clawdinator-control"
ID = "11111111-2222-3333-4444-555555555555"
RUNNER, PERSON = "runner@runnervm1", "sam@laptop"
LOST, JOB = 90, f"{TWO}: {OLD} -> {NEW}"


class StillTime(HastyTime):
    """No time goes by, whoever waits."""

    def now(self) -> float:
        return self._start


@dataclass
class LockedFleet:
    """A fleet of two, whose state somebody may hold.

    Attributes:
        machine: the host of `TWO`.
        taken: when the lock was.
    """

    runner: LocalRunner
    machine: str
    taken: float

    def holds(self, who: str) -> None:
        created = iso(self.taken).replace("T", " ").replace("Z", ".5 +0000 UTC")
        fields = {"ID": ID, "Operation": "OperationTypeApply", "Who": who, "Created": created}
        (self.runner.folder / "lock.json").write_text(json.dumps(fields))

    def noted(self, who: str, began: float) -> None:
        """The row of a job of the run that was lost."""
        table = control_table.connect(self.runner.environ)
        assert table
        table.put(state_lock.item(state_lock.begun(who, LOST, JOB, began)))

    def lost(self, *, status: str = "completed") -> None:
        """A runner that took the lock a minute after its job began."""
        self.holds(RUNNER)
        self.noted(RUNNER, self.taken - 60)
        self.runner.github.runs.append(raw_run(LOST, Entry(target=TWO), status=status))

    def row(self) -> Mapping[str, Any] | None:
        """What a job on this machine noted."""
        table = control_table.connect(self.runner.environ)
        assert table
        return table.get(state_lock.key(lock.here()))

    @property
    def locked(self) -> bool:
        return (self.runner.folder / "lock.json").exists()


@pytest.fixture
def fleet(runner: LocalRunner) -> LockedFleet:
    runner.registers(ONE, TWO)
    machine = [runner.launches(id_) for id_ in (ONE, TWO)][1]
    runner.plans(plans.replaced(TWO, image=NEW, before={"id": machine, "ami": OLD}))
    with closing(runner.client("dynamodb")) as admin:
        admin.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    runner.environ["CONTROL_TABLE"] = TABLE
    return LockedFleet(runner, machine, int(time.time()))


@pytest.mark.parametrize("job", ["plan", "host", "finish"])
def test_each_job_notes_before_it_may_lock_from_where_and_how_long(
    fleet: LockedFleet, job: str
) -> None:
    """The engine gets no further than the lock."""
    fleet.holds(PERSON)
    image, seen = (OLD, "") if job == "finish" else (NEW, fleet.machine)
    made_of = {"image": image, "revision": plans.REVISION, "seed_sha256": plans.SEED}
    turn = {"id": TWO, "seen": seen, "name": JOB, **made_of}
    before = int(time.time())

    more = {"TARGET": "all"} if job == "finish" else {}
    handed = {"ROLL": json.dumps([turn]), **handed_to(turn), **more}
    assert fleet.runner.does(job, **handed) == 1
    row = fleet.row()

    assert row
    assert (row["run"], row["job"]) == (100, JOB if job == "host" else job)
    assert before <= row["began"] <= time.time()
    assert row["ends"] == row["began"] + 3600


def test_a_table_that_is_away_stops_nothing_and_is_told(
    fleet: LockedFleet, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.runner.environ["CONTROL_TABLE"] = "another"

    assert fleet.runner.does("plan") == 0
    assert "::notice title=Lock not noted::The control table can't be " in capsys.readouterr().out


def test_a_lost_runners_lock_is_told_with_when_it_is_broken(fleet: LockedFleet) -> None:
    fleet.lost()
    until = fleet.taken + 3600 + 600

    assert fleet.runner.does("plan") == 1
    assert fleet.locked
    assert "plan" not in fleet.runner.commands
    assert fleet.row() is None  # or the next run could not tell who left it
    assert (
        f"Nothing was touched: {RUNNER} has held the lock on the state since "
        f"{lock.told(fleet.taken)}, for the job of {TWO} in run {LOST}, which has ended, but what "
        f"it began may not have. A deploy breaks it from {lock.told(until + 59)} on; an operator "
        "may before: /fleet unlock."
    ) in fleet.runner.summary


@pytest.mark.parametrize(("seconds", "code"), [(3600 + 600 - 1, 1), (3600 + 600, 0)])
def test_it_is_broken_no_sooner_and_then_without_anybody(
    fleet: LockedFleet, seconds: float, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.lost()
    fleet.runner.clock = StillTime(fleet.taken + seconds)

    assert fleet.runner.does("plan") == code
    assert fleet.locked is bool(code)
    if not code:
        said = f"{RUNNER} had held the lock on the state since {lock.told(fleet.taken)}, for "
        assert f"{said}the job of {TWO} in run {LOST}: it is broken ({ID})." in fleet.runner.summary
        assert "::notice title=Lock broken::" in capsys.readouterr().out
        assert (fleet.row() or {})["job"] == "plan"


@pytest.mark.parametrize("late", [False, True])
def test_while_its_job_runs_it_is_waited_for(fleet: LockedFleet, late: bool) -> None:
    fleet.lost(status="in_progress")
    fleet.runner.github.jobs[LOST] = [raw_job("plan"), raw_job(JOB, None)]
    fleet.runner.clock = StillTime(fleet.taken + (86400 if late else 0))

    assert fleet.runner.does("plan") == 1
    assert fleet.locked
    assert "plan" in fleet.runner.commands
    assert f"the job of {TWO} in run {LOST}, which still runs." in fleet.runner.summary
    assert fleet.row() is None  # it may yet be lost, and be of a machine of this one's name


def test_a_job_that_ended_alone_counts_although_its_run_goes_on(fleet: LockedFleet) -> None:
    fleet.lost(status="in_progress")
    fleet.runner.github.jobs[LOST] = [raw_job(JOB, "failure")]
    fleet.runner.clock = StillTime(fleet.taken + 4200)

    assert fleet.runner.does("plan") == 0


def test_of_a_run_that_was_deleted_from_github_no_job_is_at_work(fleet: LockedFleet) -> None:
    """GitHub deletes none that is."""
    fleet.lost()
    fleet.runner.github.runs.clear()
    fleet.runner.clock = StillTime(fleet.taken + 4200)

    assert fleet.runner.does("plan") == 0
    assert not fleet.locked


@pytest.mark.parametrize("whose", ["nobody's row", "a row of another time"])
def test_a_persons_lock_is_waited_for_and_never_broken(fleet: LockedFleet, whose: str) -> None:
    fleet.holds(PERSON)
    if whose == "a row of another time":
        fleet.noted(PERSON, fleet.taken + 1)
    fleet.runner.clock = StillTime(fleet.taken + 30 * 86400)

    assert fleet.runner.does("plan") == 1
    assert fleet.locked
    assert "plan" in fleet.runner.commands
    assert (
        f"Nothing was touched: {PERSON} has held the lock on the state since "
        f"{lock.told(fleet.taken)}. No job of a deploy took it: whoever did releases it, or, if "
        "nobody is at work there, an operator: /fleet unlock."
    ) in fleet.runner.summary


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("", "CONTROL_TABLE is not set (see docs/set-up.md). If nobody is"),
        ("another", "The control table can't be read"),
    ],
)
def test_without_the_table_no_lock_is_broken(fleet: LockedFleet, table: str, why: str) -> None:
    fleet.lost()
    fleet.runner.environ["CONTROL_TABLE"] = table
    fleet.runner.clock = StillTime(fleet.taken + 30 * 86400)

    assert fleet.runner.does("plan") == 1
    assert fleet.locked
    assert why in fleet.runner.summary


UNLOCK = {"OPERATION": "unlock", "TARGET": ID, "REQUESTED_BY": "discord:8 sam"}


@pytest.mark.parametrize("whose", ["a person's", "a lost runner's"])
def test_unlock_breaks_that_very_lock_and_does_nothing_else(fleet: LockedFleet, whose: str) -> None:
    if whose == "a person's":
        fleet.holds(PERSON)
    else:
        fleet.lost()

    assert fleet.runner.deploys(**UNLOCK) == 0
    assert not fleet.locked
    assert fleet.runner.commands == ["init", "force-unlock"]
    assert fleet.runner.outputs == {"roll": "[]"}
    assert f"it is broken ({ID}). Asked by discord:8 sam." in fleet.runner.summary


def test_another_lock_than_the_one_that_was_asked_for_stays(fleet: LockedFleet) -> None:
    fleet.holds(PERSON)

    assert fleet.runner.deploys(**UNLOCK | {"TARGET": ID.replace("1", "9")}) == 1
    assert fleet.locked
    assert f"The state has another lock by now, {ID}: {PERSON} has " in fleet.runner.summary


def test_where_there_is_none_that_is_said(fleet: LockedFleet) -> None:
    assert fleet.runner.deploys(**UNLOCK) == 1
    assert "Nothing was touched: The state is not locked." in fleet.runner.summary
    assert fleet.runner.commands == ["init"]


@pytest.mark.parametrize("asked", [{}, UNLOCK], ids=["a deploy", "an unlock"])
def test_a_lock_that_tells_nothing_of_itself_is_called_that_and_stays(
    fleet: LockedFleet, asked: dict[str, str]
) -> None:
    """The engine says no more of it than that it is there."""
    key = {"LockID": {"S": "state/fleet.tfstate"}}
    with closing(fleet.runner.client("dynamodb")) as admin:
        admin.create_table(
            TableName=fleet.runner.environ["TOFU_LOCK_TABLE"],
            KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        admin.put_item(TableName="lock", Item={**key, "Info": {"S": "{"}})

        assert fleet.runner.deploys(**asked) == 1
        assert "plan" not in fleet.runner.commands
        assert (
            "Nothing was touched: The state has a lock that does not tell whose it is. See "
            "`A stuck lock` in docs/runbook.md."
        ) in fleet.runner.summary
        assert "Item" in admin.get_item(TableName="lock", Key=key)


def test_the_lock_of_a_job_that_runs_is_not_broken(fleet: LockedFleet) -> None:
    fleet.lost(status="in_progress")
    fleet.runner.github.jobs[LOST] = [raw_job(JOB, None)]

    assert fleet.runner.deploys(**UNLOCK) == 1
    assert fleet.locked
    assert f"for the job of {TWO} in run {LOST}, which still runs." in fleet.runner.summary


def test_no_bot_breaks_a_lock(fleet: LockedFleet) -> None:
    fleet.holds(PERSON)
    asked = {"REQUESTED_BY": "", "CALLER": ONE, "REQUEST_ID": f"agent.{ONE}.1.2"}

    assert fleet.runner.deploys(**UNLOCK | asked) == 1
    assert fleet.locked
    assert "Only a person may ask for that (unlock)" in fleet.runner.summary
