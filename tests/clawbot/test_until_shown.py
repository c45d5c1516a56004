"""What can't be shown for now: an end is tried again for a day, anything else waits for what comes
next, and the log says why once."""

import pytest

from clawbot.living_reply import NoPlace
from clawbot.patience import WORK_AGAIN
from clawbot.progress import Progress, Stage
from clawbot.replies import Deploying, GoesOn, Notice, Reply
from clawbot.until_shown import TRIED_FOR_SECONDS, until_shown
from fleet_control.error import FleetError
from tests.fleet_control.hasty_clock import HastyClock

AWAY, CLOSED = FleetError("the platform is away"), NoPlace("missing access")
MOVES = Deploying(Progress(Stage.RUNNING, "claw-2"))
ENDS = Deploying(Progress(Stage.DONE, "claw-2"))
ON = GoesOn("Deploy claw-2", "discord:900", "77")
NOTICE = Notice(("No deploy began.",))


class RefusingPlace:
    """Takes nothing while there is a reason left not to; `tries` counts all that it was asked."""

    def __init__(self, *why: Exception | None) -> None:
        self._why, self.tries = [*why], 0

    async def show(self, _reply: Reply) -> None:
        self.tries += 1
        if self._why and (error := self._why.pop(0)):
            raise error


@pytest.mark.parametrize(
    ("reply", "why", "count"),
    [
        (MOVES, AWAY, 1),
        (ENDS, AWAY, 4),
        (ENDS, CLOSED, 4),
        (ON, AWAY, 4),
        (ON, CLOSED, 1),
        (NOTICE, AWAY, 4),
        (NOTICE, CLOSED, 1),
    ],
)
async def test_an_end_is_tried_until_it_stands_unless_nothing_is_lost_without_it(
    reply: Reply, why: Exception, count: int
) -> None:
    place = RefusingPlace(*[why] * 3)
    await until_shown(place.show, "", HastyClock())(reply)

    assert place.tries == count


async def test_an_end_that_is_not_worth_another_try_is_left() -> None:
    place = RefusingPlace(AWAY, CLOSED, CLOSED)
    await until_shown(place.show, "", HastyClock(), again=lambda error: error is AWAY)(ENDS)

    assert place.tries == 2


async def test_after_a_day_it_is_given_up() -> None:
    clock, place = HastyClock(), RefusingPlace(*[AWAY] * 1000)
    await until_shown(place.show, "", clock)(ENDS)

    assert TRIED_FOR_SECONDS == 24 * 3600
    assert TRIED_FOR_SECONDS < clock.monotonic() <= TRIED_FOR_SECONDS + WORK_AGAIN.longest


async def test_the_log_says_why_when_that_changes_with_its_trace_where_it_broke_in_us(
    caplog: pytest.LogCaptureFixture,
) -> None:
    slip = ConnectionError()
    place = RefusingPlace(AWAY, AWAY, CLOSED, slip, None, slip)
    shown = until_shown(place.show, "discord.demo.5.1", HastyClock())
    for reply in (ENDS, MOVES):
        await shown(reply)

    said = [(one.getMessage().partition(" why=")[2], bool(one.exc_info)) for one in caplog.records]
    told = [(str(AWAY), False), (str(CLOSED), False)]
    assert said == [*told, ("ConnectionError", True), ("ConnectionError", True)]
