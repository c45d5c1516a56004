"""What `plan` asks GitHub about the deploys of bots before it lets another in, and what it says."""

import json
import time
from typing import Any

import pytest

from fleet_control.ledger import Entry
from tests.workflows import plans
from tests.workflows.conftest import NEW, OLD, LocalRunner, iso
from tests.workflows.loopback import raw_job, raw_run

ONE, TWO, THREE, FOUR = (f"clawdinator-{number}" for number in (1, 2, 3, 4))
FAILED = [raw_job("plan"), raw_job(f"{TWO}: none -> {OLD}", "failure")]
REFUSED = [raw_job("plan", "failure"), raw_job("host", "skipped")]


@pytest.fixture
def fleet(runner: LocalRunner) -> LocalRunner:
    """Of two deploys by bots, hours ago, the host's own job failed; then one was refused."""
    runner.registers(ONE, TWO, THREE)
    for id_ in (ONE, TWO, THREE):
        runner.launches(id_)
    entry, ago = Entry(target=TWO, caller=THREE), iso(time.time() - 9000)
    runs = [raw_run(id_, entry, moment=ago) | {"conclusion": "failure"} for id_ in (93, 92, 91, 90)]
    runner.github.runs = runs
    runner.github.jobs = {93: REFUSED, 92: FAILED, 91: FAILED}
    return runner


def jobs_asked(runner: LocalRunner) -> int:
    return sum("filter" in query for query in runner.github.asked)


def test_what_bots_failed_at_twice_is_not_touched_by_a_third(fleet: LocalRunner) -> None:
    assert fleet.does("plan", CALLER=ONE) == 1
    assert "Refused (too_soon)\n\nThe last deploys of clawdinator-2 by bot" in fleet.summary
    assert fleet.commands == []
    assert jobs_asked(fleet) == 3


def test_a_person_is_let_in_without_a_look_at_them(fleet: LocalRunner) -> None:
    fleet.does("plan")
    assert "init" in fleet.commands
    assert jobs_asked(fleet) == 0


def test_nor_are_they_looked_at_where_an_earlier_row_refuses(fleet: LocalRunner) -> None:
    assert fleet.does("plan", CALLER=ONE, AMI_OVERRIDE="ami-0bad0bad") == 1
    assert "Refused (unknown_image)" in fleet.summary
    assert jobs_asked(fleet) == 0


def test_they_decide_where_the_host_itself_may_be_ill(fleet: LocalRunner) -> None:
    """Though EC2 calls it healthy, and a version may be named only to repair."""
    assert fleet.does("plan", CALLER=ONE, AMI_OVERRIDE=OLD) == 1
    assert "Refused (too_soon)" in fleet.summary
    assert jobs_asked(fleet) == 3


def test_they_decide_though_a_later_row_would_refuse_too(fleet: LocalRunner) -> None:
    fleet.ec2.terminate_instances(InstanceIds=[fleet.hosts()[THREE][0]])

    assert fleet.does("plan", CALLER=ONE) == 1
    assert "Refused (too_soon)" in fleet.summary


def test_a_younger_run_that_had_its_turn_first_counts_too(fleet: LocalRunner) -> None:
    entry, now = Entry(target=TWO, caller=THREE), iso(time.time())
    fleet.github.runs.insert(0, raw_run(101, entry, moment=now))

    assert fleet.does("plan", CALLER=ONE) == 1
    assert "clawdinator-2 is healthy and clawdinator-3 deployed it less than a" in fleet.summary
    assert jobs_asked(fleet) == 0


@pytest.fixture
def without_three(runner: LocalRunner) -> LocalRunner:
    """One's bot and that of four ask to repair two, while three, and one's own host, are gone."""
    runner.registers(ONE, TWO, THREE, FOUR)
    runner.launches(FOUR)
    three, ago = Entry(target=THREE, caller=TWO), iso(time.time() - 9000)
    runner.github.runs = [
        raw_run(id_, three, moment=ago) | {"conclusion": "failure"} for id_ in (92, 91)
    ]
    failed = [raw_job("plan"), raw_job(f"{THREE}: none -> {OLD}", "failure")]
    runner.github.jobs = {92: failed, 91: failed}
    return runner


def created(*ids: str) -> list[dict[str, Any]]:
    return [plans.host(id_, "create", image=NEW) for id_ in ids]


def moves(runner: LocalRunner) -> list[str]:
    return [turn["id"] for turn in json.loads(runner.outputs["roll"])]


def test_a_bots_roll_brings_along_no_host_that_it_may_not_deploy(
    without_three: LocalRunner, capsys: pytest.CaptureFixture[str]
) -> None:
    without_three.plans(*created(TWO))

    assert without_three.does("plan", TARGET=TWO, CALLER=ONE) == 0
    assert moves(without_three) == [TWO]
    said = capsys.readouterr().out
    for why in (
        "clawdinator-1 may not deploy itself. A person or another bot instance can.",
        "The last deploys of clawdinator-3 by bot instances failed. A person has to deploy it",
    ):
        assert f"::notice title=Left out::{why}" in said
        assert f"Left out: {why}" in without_three.summary


def test_one_that_failed_once_it_brings_along(without_three: LocalRunner) -> None:
    without_three.github.runs.pop()
    without_three.plans(*created(TWO, ONE, THREE))

    assert without_three.does("plan", TARGET=TWO, CALLER=FOUR) == 0
    assert moves(without_three) == [TWO, ONE, THREE]


def test_a_persons_roll_brings_along_all_that_are_missing(without_three: LocalRunner) -> None:
    without_three.plans(*created(TWO, ONE, THREE))

    assert without_three.does("plan", TARGET=TWO) == 0
    assert moves(without_three) == [TWO, ONE, THREE]
    assert jobs_asked(without_three) == 0


def test_for_all_that_a_roll_would_bring_along_only_so_many_jobs_are_asked_for(
    runner: LocalRunner,
) -> None:
    """GitHub grants a thousand calls an hour, to people's runs too."""
    missing = [f"claw-{number}" for number in range(12)]
    runner.registers(TWO, FOUR, *missing)
    runner.launches(FOUR)
    ago = iso(time.time() - 9000)
    runner.github.runs = [
        raw_run(400 - n, Entry(target=missing[n % 12], caller=TWO), moment=ago)
        | {"conclusion": "failure"}
        for n in range(12 * 9)
    ]
    runner.plans(*created(TWO))

    assert runner.does("plan", TARGET=TWO, CALLER=FOUR) == 0
    assert 56 < jobs_asked(runner) <= 64
    assert runner.summary.count("Left out: Too many runs of late did not succeed") == 12


def test_each_runs_jobs_are_asked_for_once(fleet: LocalRunner) -> None:
    """Though the fleet is judged twice, before the engine has a say and after."""
    fleet.github.jobs[91] = REFUSED

    fleet.does("plan", CALLER=ONE)
    assert "init" in fleet.commands
    assert jobs_asked(fleet) == 4
