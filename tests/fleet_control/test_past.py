"""What the ledger says of a host's last deploy, and of what a bot instance has under way."""

from typing import Any

from fleet_control.ledger import Run, seconds
from fleet_control.past import last_bot_deploy, unfinished
from fleet_control.policy import BotDeploy
from tests.fleet_control.test_ledger import run

BEFORE, DURING, ENDED = (
    seconds(f"2026-11-24T{moment}Z") for moment in ("09:00:00", "10:01:00", "10:05:00")
)


def bots(id_: int, **changed: Any) -> Run:
    return run(id_, caller="claw-1", **changed)


def at_work(id_: int) -> Run:
    return bots(id_, status="in_progress", conclusion=None)


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
