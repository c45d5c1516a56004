"""What the ledger says of a host's last deploy, and of what a bot instance has under way."""

from typing import Any

from fleet_control.ledger import Run, seconds
from fleet_control.past import last_bot_deploy, launched_by, unfinished
from fleet_control.policy import BotDeploy
from tests.fleet_control.test_ledger import run

BEFORE, DURING, ENDED = (
    seconds(f"2026-11-24T{moment}Z") for moment in ("09:00:00", "10:01:00", "10:05:00")
)


def bots(id_: int, **changed: Any) -> Run:
    return run(id_, caller="claw-1", **changed)


def at_work(id_: int) -> Run:
    return bots(id_, status="in_progress", conclusion=None)


def test_a_host_was_launched_by_the_run_during_which_it_was() -> None:
    long_ago = run(
        4,
        created="2026-11-24T08:00:00Z",
        started="2026-11-24T08:00:00Z",
        updated="2026-11-24T08:10:00Z",
    )
    runs = [long_ago, run(5)]

    assert launched_by(runs, seconds("2026-11-24T10:01:00Z")) == run(5)
    assert launched_by(runs, seconds("2026-11-24T08:09:00Z")) == long_ago
    assert launched_by(runs, seconds("2026-11-24T09:00:00Z")) is None


def test_a_run_that_only_waited_launched_nothing() -> None:
    waiting = run(6, status="pending", conclusion=None, created="2026-11-24T10:00:30Z")

    assert launched_by([waiting, run(5)], seconds("2026-11-24T10:01:00Z")) == run(5)


def test_an_unfinished_run_may_have_launched_what_is_new() -> None:
    running = run(6, status="in_progress", conclusion=None, updated="2026-11-24T10:00:06Z")

    assert launched_by([running], seconds("2026-11-24T10:30:00Z")) == running


def test_a_hosts_last_deploy_was_a_bots_or_is_none() -> None:
    assert last_bot_deploy([bots(5)], DURING) == BotDeploy("claw-1", ENDED)
    assert last_bot_deploy([run(5)], DURING) is None
    assert last_bot_deploy([bots(5)], BEFORE) is None
    assert last_bot_deploy([bots(5)], None) is None


def test_one_that_is_still_shown_at_work_counts_too() -> None:
    assert last_bot_deploy([at_work(5)], DURING) == BotDeploy("claw-1", ENDED)


def test_a_bot_has_its_own_deploys_under_way_oldest_first() -> None:
    others = at_work(7)._replace(caller="claw-2")

    assert unfinished([at_work(9), bots(8), others, at_work(5)], "claw-1") == (
        at_work(5),
        at_work(9),
    )


def test_what_was_not_over_then_was_under_way_then() -> None:
    assert unfinished([bots(5)], "claw-1", at=DURING) == (bots(5),)
    assert unfinished([bots(5)], "claw-1", at=ENDED) == ()
