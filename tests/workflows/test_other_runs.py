"""Which other run is the deploy of an ask, and which makes a bot instance busy."""

from collections.abc import Iterable, Mapping

import pytest

from fleet_control.duplicate import deploy_among
from fleet_control.ledger import Entry, Job, Run
from fleet_control.run_row import read_run
from tests.workflows.conftest import NEW, OLD, LocalRunner
from tests.workflows.loopback import raw_run
from tests.workflows.plans import replaced
from workflows.fleet_deploy.other_runs import deploy_of, unfinished

ONE, TWO, THREE = "clawdinator-1", "clawdinator-2", "clawdinator-3"
ASK, OTHER = "agent.clawdinator-1.a.1", "agent.clawdinator-1.a.2"
EARLY, ASKED, LATE = (f"2026-11-24T{hour}:00:00Z" for hour in ("08", "09", "10"))

REFUSED = (Job("plan", "completed", "failure"), Job("host", "completed", "skipped"))
MOVED = (Job("plan", "completed", "success"), Job(f"{TWO}: none -> x", "completed", "success"))
FAILED = (Job("plan", "completed", "success"), Job(f"{TWO}: none -> x", "completed", "failure"))
AT_WORK = (Job("plan", "completed", "success"), Job(f"{TWO}: none -> x", "in_progress"))
NEVER_BEGAN = (Job("plan", "completed", "cancelled"),)
# What a host's job looks like that waited for its turn when the run was cancelled.
CANCELLED = (Job("plan", "completed", "success"), Job(f"{TWO}: x -> y", "completed", "cancelled"))


def run(
    id_: int, conclusion: str | None, *, ask: str = OTHER, caller: str = ONE, ended: str = LATE
) -> Run:
    """With a conclusion it is over; without, at work, or waiting if it is younger than 100."""
    entry = Entry(request_id=ask, target=TWO, caller=caller)
    status = "completed" if conclusion else "in_progress"
    listed = read_run(raw_run(id_, entry, status=status, moment=EARLY))
    return listed._replace(conclusion=conclusion, updated=ended)


def waiting(id_: int, ask: str = OTHER) -> Run:
    return run(id_, None, ask=ask)._replace(status="pending")


MINE = run(100, None, ask=ASK)._replace(created=ASKED)


class JobsOf:
    """Answers for the runs that a test expects to be asked about, and for no other."""

    def __init__(self, known: Mapping[int, Iterable[Job]]) -> None:
        self._known = known

    def __call__(self, run_id: int) -> Iterable[Job]:
        return self._known[run_id]


def busy(*others: Run, **jobs: Iterable[Job]) -> int | None:
    known = JobsOf({int(name.removeprefix("run_")): some for name, some in jobs.items()})
    found = unfinished(ONE, MINE, ASK, (*others, MINE), known)
    return found.id if found else None


def test_an_earlier_deploy_that_was_not_over_when_this_was_asked_makes_busy() -> None:
    assert busy(run(99, "success")) == 99
    assert busy(run(99, "failure"), run_99=FAILED) == 99
    assert busy(run(99, None), run_99=AT_WORK) == 99
    assert busy(waiting(99)) == 99


def test_one_that_was_over_does_not() -> None:
    assert busy(run(99, "success", ended=EARLY)) is None
    assert busy(run(99, "success", ended=ASKED)) is None


def test_another_callers_or_a_persons_does_not() -> None:
    assert busy(run(98, "success", caller=THREE), run(99, "success", caller="")) is None


@pytest.mark.parametrize("jobs", [REFUSED, NEVER_BEGAN, CANCELLED, ()])
def test_one_that_came_as_far_as_no_host_does_not(jobs: tuple[Job, ...]) -> None:
    assert busy(run(99, "failure"), run_99=jobs) is None
    assert busy(run(99, "cancelled"), run_99=jobs) is None


def test_a_refused_one_that_the_list_still_shows_at_work_does_not() -> None:
    assert busy(run(99, None), run_99=REFUSED) is None


def test_of_many_the_one_that_moved_a_host_counts() -> None:
    others = (run(97, "failure"), run(98, "success"), run(99, "failure"))

    assert busy(*others, run_97=REFUSED) == 98


def test_a_younger_one_only_where_it_was_let_in_first() -> None:
    assert busy(waiting(101)) is None
    assert busy(run(101, "failure"), run_101=REFUSED) is None
    assert busy(run(101, None), run_101=AT_WORK) == 101
    assert busy(run(101, "success")) == 101


def test_the_same_ask_is_no_other_deploy_but_a_button_without_one_is() -> None:
    assert busy(run(99, "success", ask=ASK)) is None
    assert unfinished(ONE, MINE, "", (run(99, "success", ask=""),), JobsOf({})) is not None


def deploy(*others: Run, ask: str = ASK, **jobs: Iterable[Job]) -> int | None:
    known = JobsOf({int(name.removeprefix("run_")): some for name, some in jobs.items()})
    found = deploy_of(ask, 100, (*others, MINE), known)
    return found.id if found else None


def test_the_oldest_run_of_an_ask_is_the_deploy() -> None:
    assert deploy(run(99, "failure", ask=ASK), run(98, "success", ask=ASK)) == 98
    assert deploy(waiting(99, ask=ASK)) == 99
    assert deploy(waiting(101, ask=ASK), run(99, "success")) is None


def test_one_that_was_cancelled_before_it_began_is_not() -> None:
    assert deploy(run(99, "cancelled", ask=ASK), run_99=NEVER_BEGAN) is None
    assert deploy(run(99, "cancelled", ask=ASK), run_99=()) is None
    assert deploy(run(99, "cancelled", ask=ASK), run_99=CANCELLED) == 99
    both = (run(98, "cancelled", ask=ASK), run(99, "success", ask=ASK))
    assert deploy(*both, run_98=NEVER_BEGAN) == 99


def test_a_younger_one_is_if_it_was_let_in_first() -> None:
    assert deploy(run(101, "failure", ask=ASK), run_101=FAILED) == 101
    assert deploy(run(101, None, ask=ASK), run_101=AT_WORK) == 101
    assert deploy(run(101, "failure", ask=ASK), run_101=REFUSED) is None


@pytest.mark.parametrize("id_", [99, 101])
@pytest.mark.parametrize(
    ("end", "jobs"),
    [
        (waiting(0, ask=ASK), ()),
        (run(0, None, ask=ASK), AT_WORK),
        (run(0, "success", ask=ASK), MOVED),
        (run(0, "failure", ask=ASK), FAILED),
        (run(0, "failure", ask=ASK), REFUSED),
        (run(0, "cancelled", ask=ASK), CANCELLED),
        (run(0, "cancelled", ask=ASK), NEVER_BEGAN),
        (run(0, "cancelled", ask=ASK), ()),
    ],
)
def test_who_follows_a_run_finds_the_deploy_that_the_run_judged_to_be_it(
    id_: int, end: Run, jobs: tuple[Job, ...]
) -> None:
    other = end._replace(id=id_, jobs=jobs)
    found = deploy_of(ASK, MINE.id, (other, MINE), JobsOf({id_: jobs}))
    stopped = MINE._replace(status="completed", conclusion="failure", jobs=REFUSED)
    done = MINE._replace(status="completed", conclusion="success", jobs=MOVED)

    deploy = deploy_among([stopped if found else done, other])

    assert deploy.id == (found or MINE).id


def test_runs_without_a_request_id_are_no_duplicates() -> None:
    assert deploy(run(99, "success", ask=""), ask="") is None


@pytest.fixture
def fleet(runner: LocalRunner) -> dict[str, str]:
    runner.registers(ONE, TWO, THREE)
    return {id_: runner.launches(id_) for id_ in (ONE, TWO, THREE)}


def test_of_deploys_that_a_bot_asked_for_at_once_one_is_done(
    runner: LocalRunner, fleet: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    asks = [
        runner.asks(CALLER=ONE, TARGET=target, REQUEST_ID=f"agent.{ONE}.a.{number}")
        for number, target in enumerate((TWO, THREE, TWO, THREE))
    ]
    runner.plans(replaced(TWO, image=NEW, before={"id": fleet[TWO], "ami": OLD}))

    assert [runner.deploys(**asked) for asked in asks] == [0, 1, 1, 1]
    assert capsys.readouterr().out.count("::error title=Refused (busy)::") == 3
    assert runner.hosts()[THREE][0] == fleet[THREE]


def test_a_refused_deploy_does_not_make_the_next_one_busy(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    asks = [
        runner.asks(CALLER=ONE, TARGET=target, REQUEST_ID=f"agent.{ONE}.a.{number}")
        for number, target in enumerate((ONE, TWO))
    ]
    # The hosts were launched before it, though in the same second.
    runner.github.runs[-1]["run_started_at"] = "2099-01-01T00:00:00Z"
    # The hosts were launched before it, though in the same second.
    runner.github.runs[-1]["run_started_at"] = "2099-01-01T00:00:00Z"
    runner.plans(replaced(TWO, image=NEW, before={"id": fleet[TWO], "ami": OLD}))

    assert [runner.deploys(**asked) for asked in asks] == [1, 0]


def test_a_run_that_the_list_does_not_show_yet_is_asked_for_itself(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    first, second = (
        runner.asks(CALLER=ONE, TARGET=TWO, REQUEST_ID=f"agent.{ONE}.a.{number}")
        for number in range(2)
    )
    runner.plans(replaced(TWO, image=NEW, before={"id": fleet[TWO], "ami": OLD}))
    assert runner.deploys(**first) == 0
    runner.github.unlisted = [runner.github.runs.pop(0)]

    assert runner.does("plan", **second) == 1
    assert "Refused (busy)" in runner.summary
