"""What is expected of a deploy: read once for all who follow, waited for by nobody, and no news."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from clawbot.deploy import Deploys
from clawbot.foresight import Foresight
from clawbot.once import Once
from clawbot.progress import Stage
from clawbot.replies import Deploying, asking
from clawbot.run_progress import progress
from clawbot.tracking import Tracker
from fleet_control.control_api import ControlApi
from fleet_control.ledger import Run
from tests.clawbot.bots import KeptChat, ask
from tests.clawbot.control_api import Api, run
from tests.clawbot.test_tracking import Followed
from tests.clock import TurnedClock
from tests.fleet_control.past_runs import BEGAN, going, job, rolled

PAST = rolled(1, 120, "claw-1", "claw-2")
ROLL = (job("plan", 0, 50), job("claw-1"), job("claw-2"))
END = BEGAN + 50 + 2 * 120 + 20


async def test_a_deploy_that_is_followed_tells_when_its_end_is_expected(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api = outside[0]
    api.runs = [PAST, going(7, *ROLL)]
    await tracker.foresight.look()
    followed = Followed(tracker, 7)

    assert (await followed.until(Stage.RUNNING)).progress.ends == END

    api.change(7, jobs=(*ROLL[:1], job("claw-1", 53, 90), job("claw-2")))
    await clock.asleep(1)
    await clock.turn(10)
    await followed.shows(2)
    assert followed.shown[-1].progress.ends == BEGAN + 90 + 120 + 20
    assert api.count("history") == 1


async def test_what_comes_late_is_no_change_and_comes_with_the_next(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api = outside[0]
    api.runs = [PAST, going(7, *ROLL)]
    api.refused["history"] = 503, {"ok": False, "code": "github_down", "error": "No."}
    followed = Followed(tracker, 7)
    assert (await followed.until(Stage.RUNNING)).progress.ends == 0
    await clock.asleep(1)
    del api.refused["history"]
    await clock.turn(60)
    await tracker.foresight.look()
    for _ in range(3):
        await clock.asleep(1)
        await clock.turn(60)
    await clock.asleep(1)
    assert len(followed.shown) == 1

    api.change(7, jobs=(*ROLL[:1], job("claw-1", 53), job("claw-2")))
    await clock.turn(60)
    await followed.shows(2)

    assert followed.shown[-1].progress.ends == BEGAN + 53 + 2 * 120 + 20


async def test_one_that_waits_tells_when_its_turn_is_expected(
    outside: tuple[Api, ControlApi], tracker: Tracker
) -> None:
    api = outside[0]
    api.runs = [PAST, going(7, *ROLL), going(8, target="claw-2")]
    await tracker.foresight.look()
    followed = Followed(tracker, 8)

    seen = (await followed.until(Stage.QUEUED)).progress

    assert (seen.ahead, seen.begins, seen.ends) == (1, END, END + 40 + 120)


async def test_a_turn_that_comes_later_than_was_told_is_no_change(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api = outside[0]
    api.runs = [PAST, going(7, *ROLL), going(8, target="claw-2")]
    await tracker.foresight.look()
    followed = Followed(tracker, 8)
    await followed.until(Stage.QUEUED)
    for later in (60, 90):
        api.change(7, jobs=(job("plan", 0, later), *ROLL[1:]))
        await clock.asleep(1)
        await clock.turn(60)
    assert len(followed.shown) == 1

    api.change(7, status="completed", conclusion="success")
    await clock.asleep(1)
    await clock.turn(60)
    await followed.shows(2)
    assert followed.shown[-1].progress.ahead == 0


async def test_a_deploy_asked_for_just_now_tells_it_by_the_queue_as_it_was_read(
    outside: tuple[Api, ControlApi], tracker: Tracker
) -> None:
    api = outside[0]
    api.runs = [PAST, going(7, *ROLL), going(8, target="claw-2"), going(9, target="claw-1")]
    await tracker.foresight.look()
    foresight, waits = tracker.foresight, progress(going(8, target="claw-2"), ahead=1)

    assert foresight.queued(waits).begins == END
    unknown = replace(waits, run_id=None)
    assert foresight.queued(unknown) == unknown
    for other in (progress(going(8, target="claw-2"), ahead=2), progress(going(7), ahead=1)):
        assert foresight.queued(other).begins == 0


async def test_who_asks_is_told_at_once_what_is_known_by_then(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api, client = outside
    api.runs = [PAST, going(2, *ROLL)]
    api.adds = {"ahead": 1}
    await tracker.foresight.look()
    chat = KeptChat(clock)
    deploys = Deploys(client, tracker, "demo", Once(clock), clock)
    begun = asking("claw-2", "", "terminal:operator")
    task = asyncio.create_task(deploys.begin(ask(), begun, chat.reply()))
    queued = await chat.until(Deploying)
    task.cancel()

    assert isinstance(queued, Deploying)
    assert (queued.progress.stage, queued.progress.begins) == (Stage.QUEUED, END)


async def test_the_last_deploys_are_read_once_in_ten_seconds_for_whoever_follows(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api = outside[0]
    await clock.turn(60)
    api.runs = [PAST, *(run(n) for n in range(2, 5))]
    followed = [Followed(tracker, n) for n in range(2, 5)]
    for one in followed:
        await one.until(Stage.RUNNING)
    await api.until("history", 1)
    await clock.asleep(3)
    await clock.turn(9.9)
    await tracker.foresight.look()
    await clock.asleep(3)
    assert api.count("history") == 1

    await clock.turn(0.1)
    await tracker.foresight.look()
    assert api.count("history") == 2


async def test_a_reading_that_goes_on_is_not_begun_again_and_ends_with_whoever_has_it(
    outside: tuple[Api, ControlApi], clock: TurnedClock
) -> None:
    foresight = Foresight(outside[1], clock)
    await foresight.close()
    reading = foresight.look()
    await clock.turn(60)
    assert foresight.look() is reading

    await foresight.close()

    assert reading.cancelled()
    assert outside[0].count("history") <= 1


@pytest.mark.parametrize(
    "answer",
    [
        (502, {"ok": False, "code": "github_refused", "error": "GitHub says 404."}),
        (400, {"ok": False, "code": "bad_request", "error": "`action` must be one of …"}),
        (200, {"ok": True, "runs": "none"}),
    ],
)
async def test_where_it_can_t_be_had_nothing_is_said(
    outside: tuple[Api, ControlApi], tracker: Tracker, answer: tuple[int, dict[str, Any]]
) -> None:
    api = outside[0]
    api.runs = [PAST, going(7, *ROLL)]
    api.refused["history"] = answer

    followed = Followed(tracker, 7)
    seen = await followed.until(Stage.RUNNING)
    await api.until("history", 1)

    assert (seen.trouble, seen.progress.ends) == ("", 0)


async def test_without_the_list_of_those_before_it_nothing_is_said_of_one_that_waits(
    outside: tuple[Api, ControlApi], clock: TurnedClock
) -> None:
    foresight = Foresight(outside[1], clock)
    outside[0].runs = [PAST]
    await foresight.look()

    waits: Run = going(8, target="claw-2")
    assert foresight.seen(waits).ends == 0
    assert foresight.seen(waits, (waits,)).ends == BEGAN + 40 + 120
