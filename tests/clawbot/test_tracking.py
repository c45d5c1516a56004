"""A run is asked about once for all who follow it, as often as the design says, to its end."""

import asyncio
from dataclasses import replace

from clawbot.deploy import Deploys
from clawbot.once import Once
from clawbot.progress import Progress, Stage
from clawbot.replies import Deploying, asking
from clawbot.run_progress import progress
from clawbot.tracking import Tracker
from fleet_control.control_api import ControlApi
from fleet_control.ledger import seconds
from tests.clawbot.bots import KeptChat, ask
from tests.clawbot.control_api import Api, job, run
from tests.clock import TurnedClock


class Followed:
    """One follower: what it was shown, and a way to wait for the next."""

    def __init__(self, tracker: Tracker, run_id: int = 1) -> None:
        self.shown: list[Deploying] = []
        self._changed = asyncio.Condition()
        begun = Deploying(Progress(Stage.ASKING, "claw-2", run_id=run_id), "terminal:operator")
        self.task = asyncio.create_task(tracker.follow(begun, self._show))

    async def _show(self, reply: Deploying) -> None:
        async with self._changed:
            self.shown.append(reply)
            self._changed.notify_all()

    async def shows(self, count: int) -> None:
        """Return once that many changes were shown."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.shown) >= count)

    async def until(self, stage: Stage, run_id: int = 0) -> Deploying:
        """What is shown once it is of that stage, and of that run if one is named."""

        def holds() -> bool:
            seen = self.shown[-1].progress if self.shown else None
            return seen is not None and seen.stage is stage and run_id in (0, seen.run_id)

        async with self._changed:
            await self._changed.wait_for(holds)
        return self.shown[-1]


async def test_a_running_deploy_is_asked_about_every_ten_seconds(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api = outside[0]
    api.runs = [run(1)]
    followed = Followed(tracker)
    await followed.until(Stage.RUNNING)
    await clock.asleep(1)

    await clock.turn(9.9)
    assert api.count("run") == 1
    await clock.turn(0.1)
    await api.until("run", 2)


async def test_a_waiting_deploy_is_asked_about_every_thirty_seconds_with_its_place(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api = outside[0]
    api.runs = [run(1), run(2, "pending"), run(3, "pending")]
    followed = Followed(tracker, 3)

    assert (await followed.until(Stage.QUEUED)).progress.ahead == 2
    await clock.asleep(1)
    await clock.turn(29.9)
    assert (api.count("run"), api.count("runs")) == (1, 1)
    api.runs[0] = run(1, "completed", "success")
    await clock.turn(0.1)
    await api.until("runs", 2)
    await clock.asleep(1)
    assert api.count("run") == 1


async def test_all_who_wait_share_one_look_at_the_list(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api = outside[0]
    api.runs = [run(1), *(run(n, "pending") for n in range(2, 12))]
    many = [Followed(tracker, n) for n in range(2, 12)]
    for followed in many:
        await followed.until(Stage.QUEUED)
    await clock.asleep(10)
    calls = len(api.asked)
    await clock.turn(30)
    await clock.asleep(10)

    assert [followed.shown[-1].progress.ahead for followed in many] == list(range(1, 11))
    assert (calls, len(api.asked), api.count("history")) == (12, 13, 1)


async def test_a_deploy_that_goes_on_as_it_was_is_asked_about_less_and_less(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api = outside[0]
    api.runs = [run(1)]
    followed = Followed(tracker)
    await followed.until(Stage.RUNNING)
    for look, pause in enumerate((10, 10, 10, 20, 20, 20, 30, 30, 30), 2):
        await clock.asleep(1)
        await clock.turn(pause - 0.1)
        assert api.count("run") == look - 1
        await clock.turn(0.1)
        await api.until("run", look)
    await clock.asleep(1)
    api.runs = [run(1, jobs=(job("claw-2: ami-1 -> ami-2", None, "in_progress"),))]
    await clock.turn(30)
    await api.until("run", 11)
    await clock.asleep(1)
    await clock.turn(10)
    await api.until("run", 12)


async def test_many_followers_cost_one_look(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api = outside[0]
    api.runs = [run(1)]
    many = [Followed(tracker) for _ in range(50)]
    for followed in many:
        await followed.until(Stage.RUNNING)
    await clock.asleep(1)
    api.runs = [run(1, "completed", "success")]
    await clock.turn(10)

    ended = await asyncio.gather(*(followed.task for followed in many))

    assert {one.progress.stage for one in ended} == {Stage.DONE}
    assert api.count("run") == 2


async def test_a_reply_is_changed_only_when_something_changed(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api = outside[0]
    api.runs = [run(1)]
    followed = Followed(tracker)
    await followed.until(Stage.RUNNING)
    for look in range(2, 5):
        await clock.asleep(1)
        await clock.turn(10)
        await api.until("run", look)

    assert len(followed.shown) == 1


async def test_when_it_was_asked_for_is_told_by_github_s_clock_once_that_is_seen(
    outside: tuple[Api, ControlApi], tracker: Tracker
) -> None:
    """Ours may be minutes ahead, and whoever comes after us has the same."""
    api = outside[0]
    api.runs = [run(1)]
    followed = Followed(tracker)

    seen = await followed.until(Stage.RUNNING)
    assert seen.asked_at == seconds(api.runs[0].created)


async def test_that_github_s_clock_is_seen_is_no_change_to_show(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api = outside[0]
    api.runs = [run(1, "queued")]
    shown: list[Deploying] = []

    async def show(reply: Deploying) -> None:
        shown.append(reply)

    dispatched = Deploying(replace(progress(api.runs[0]), asked=0.0))
    following = asyncio.create_task(tracker.follow(dispatched, show))
    await clock.asleep(1)
    assert (api.count("runs"), shown) == (1, [])
    following.cancel()


async def test_an_api_that_is_away_for_a_while_is_said_and_then_forgotten(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api = outside[0]
    api.runs = [run(1)]
    followed = Followed(tracker)
    await followed.until(Stage.RUNNING)
    down = {"ok": False, "code": "github_unreachable", "error": "GitHub can't be reached."}
    api.next = [(502, down)] * 9
    for look in range(2, 11):
        assert followed.shown[-1].trouble == ""
        await clock.asleep(1)
        await clock.turn(10)
        await api.until("run", look)
    await clock.asleep(1)
    assert followed.shown[-1].trouble == (
        "I have had no sight of it since 14:13 UTC, which does not stop the deploy. "
        "GitHub can't be reached."
    )

    api.runs = [run(1, "completed", "success")]
    await clock.turn(10)

    assert (await followed.task).trouble == ""
    assert len(followed.shown) == 3


async def test_trouble_is_said_after_a_minute_and_a_half_though_nobody_looks_for_an_hour(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api = outside[0]
    api.runs = [run(1)]
    followed = Followed(tracker)
    await followed.until(Stage.RUNNING)
    busy = {"ok": False, "code": "github_busy", "error": "GitHub is busy.", "retry_after": 3600}
    api.next = [(429, busy)]
    await clock.asleep(1)
    await clock.turn(10)
    await api.until("run", 2)
    await clock.asleep(1)
    await clock.turn(79)
    assert len(followed.shown) == 1

    await clock.turn(1)
    await clock.asleep(1)
    assert "since 14:13 UTC, which does not stop the deploy. GitHub" in followed.shown[-1].trouble

    await clock.turn(3519)
    assert api.count("run") == 2
    await clock.turn(1)
    await api.until("run", 3)


async def test_a_run_that_is_never_found_ends_as_unknown(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api = outside[0]
    gone = {"ok": False, "code": "unknown_run", "error": "There is no such run."}
    api.next = [(404, gone)] * 3
    followed = Followed(tracker)
    for look in range(1, 3):
        await api.until("run", look)
        await clock.asleep(1)
        await clock.turn(10)

    ended = await followed.task

    assert ended.progress.stage is Stage.UNKNOWN
    assert "lost sight" in ended.progress.reason
    assert api.count("run") == 3


async def test_a_blip_of_a_run_that_waits_is_not_the_end_of_it(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api = outside[0]
    api.runs = [run(1, "queued")]
    followed = Followed(tracker)
    await followed.until(Stage.QUEUED)
    await clock.asleep(1)
    api.next = [
        (200, {"ok": True, "runs": []}),
        (404, {"ok": False, "code": "unknown_run", "error": "There is no such run."}),
    ]
    await clock.turn(30)
    await api.until("run", 2)
    await clock.asleep(1)
    api.runs = [run(1, "completed", "success")]
    await clock.turn(10)

    assert (await followed.task).progress.stage is Stage.DONE


TWINS = {"request_id": "terminal.demo.1.1"}
STOPPED = job("plan", "failure")


async def test_a_duplicate_is_followed_in_the_deploy_to_its_end(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    """GitHub listed the first run of an ask only after a second one was asked for."""
    api = outside[0]
    going = job("claw-2: ami-1 -> ami-2", None, "in_progress")
    api.runs = [
        run(1, jobs=(going,), **TWINS),
        run(2, "completed", "failure", jobs=(STOPPED,), **TWINS),
    ]
    followed = Followed(tracker, 2)
    await followed.until(Stage.RUNNING)
    await clock.asleep(1)
    api.runs[0] = run(1, "completed", "success", **TWINS)
    await clock.turn(10)

    ended = await followed.task

    assert {one.progress.run_id for one in followed.shown} == {1}
    assert (ended.progress.stage, ended.asker) == (Stage.DONE, "terminal:operator")


async def test_a_duplicate_that_waits_is_not_what_is_shown_or_could_be_cancelled(
    outside: tuple[Api, ControlApi], tracker: Tracker
) -> None:
    api = outside[0]
    api.runs = [run(1, **TWINS), run(2, "pending", **TWINS)]
    followed = Followed(tracker, 2)

    assert (await followed.until(Stage.RUNNING)).progress.run_id == 1
    assert {one.progress.run_id for one in followed.shown} == {1}


async def test_of_two_that_wait_the_one_that_is_not_cancelled_goes_on(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    """The run lets a younger one in where the oldest was cancelled before it began."""
    api = outside[0]
    api.runs = [run(1, "queued", **TWINS), run(2, "pending", **TWINS)]
    followed = Followed(tracker)
    await followed.until(Stage.QUEUED)
    await clock.asleep(1)
    api.runs[0] = run(1, "completed", "cancelled", **TWINS)
    await clock.turn(30)
    await followed.until(Stage.QUEUED, run_id=2)
    await clock.asleep(1)
    api.runs[1] = run(2, "completed", "success", **TWINS)
    await clock.turn(30)

    assert (await followed.task).progress.run_id == 2
    assert Stage.CANCELLED not in {one.progress.stage for one in followed.shown}


async def test_an_end_that_may_be_another_s_is_not_told_before_that_is_known(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api = outside[0]
    twin = run(2, "completed", "failure", jobs=(STOPPED,), **TWINS)
    api.runs = [run(1, "completed", "success", **TWINS), twin]
    down = {"ok": False, "code": "github_unreachable", "error": "GitHub can't be reached."}
    followed = Followed(tracker, 2)
    await api.until("run", 1)
    api.next = [(502, down)]
    await clock.asleep(1)
    assert followed.shown == []
    await clock.turn(10)

    assert (await followed.task).progress.stage is Stage.DONE


async def test_when_the_last_follower_leaves_nobody_asks_any_more(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    outside[0].runs = [run(1)]
    followed = Followed(tracker)
    await followed.until(Stage.RUNNING)
    await clock.asleep(1)

    followed.task.cancel()
    await asyncio.gather(followed.task, return_exceptions=True)
    await clock.turn(100)

    assert outside[0].count("run") == 1


async def test_a_roll_of_days_is_followed_for_as_long_as_it_can_be_seen(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api = outside[0]
    api.runs = [run(1)]
    followed = Followed(tracker)
    await followed.until(Stage.RUNNING)
    await clock.asleep(1)
    await clock.turn(6 * 3600 + 1)
    await api.until("run", 2)
    await clock.asleep(1)
    assert not followed.task.done()

    down = {"ok": False, "code": "github_unreachable", "error": "GitHub can't be reached."}
    api.next = [(502, down)]
    await clock.turn(6 * 3600 + 1)

    ended = await followed.task
    assert ended.progress.stage is Stage.UNKNOWN
    assert "GitHub can't be reached." in ended.progress.reason


async def test_a_busy_api_is_left_alone_for_as_long_as_it_asks(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api = outside[0]
    api.runs = [run(1)]
    busy = {"ok": False, "code": "github_busy", "error": "GitHub is busy.", "retry_after": 60}
    api.next = [(429, busy)]
    Followed(tracker)
    await api.until("run", 1)
    await clock.asleep(1)

    await clock.turn(59)
    assert api.count("run") == 1
    await clock.turn(1)
    await api.until("run", 2)


async def test_a_reply_says_from_the_first_how_many_are_before_it(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> None:
    api, client = outside
    api.ends, api.adds = "success", {"ahead": 3}
    chat = KeptChat(clock)

    begun = asking("claw-2", "", "terminal:operator")
    deploys = Deploys(client, tracker, "demo", Once(clock), clock)
    await deploys.begin(ask(), begun, chat.reply("77"))

    assert [one.progress.ahead for one in chat.said if isinstance(one, Deploying)] == [3, 0]
