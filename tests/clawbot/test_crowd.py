"""What those who are no operators ask counts one at a time, and is told of once in a burst."""

import pytest

from clawbot.crowd import Crowd
from fleet_control.caller import BotInstance, Caller, Unknown
from tests.clawbot.bots import OPERATOR, VISITOR
from tests.clock import TurnedClock


@pytest.mark.parametrize("caller", [VISITOR, BotInstance("claw-1"), Unknown("a channel")])
def test_whoever_is_no_operator_is_admitted_again_once_answered(caller: Caller) -> None:
    crowd = Crowd(TurnedClock())
    answered: list[bool] = []
    assert crowd.admits(caller, "telegram:1", lambda: bool(answered))
    assert not crowd.admits(caller, "telegram:1", lambda: False)
    assert crowd.admits(caller, "telegram:2", lambda: False)
    answered.append(True)
    assert crowd.admits(caller, "telegram:1", lambda: False)
    assert not crowd.admits(caller, "telegram:1", lambda: False)


def test_an_operator_is_always_admitted() -> None:
    crowd = Crowd(TurnedClock())
    assert all(crowd.admits(OPERATOR, "telegram:1", lambda: False) for _ in range(3))


@pytest.mark.parametrize(("quiet", "told"), [(60.0, False), (60.5, True)])
async def test_a_burst_is_over_after_a_minute_in_which_nothing_was_dropped(
    quiet: float, told: bool
) -> None:
    clock = TurnedClock()
    crowd = Crowd(clock)
    assert crowd.tells("telegram:1")
    for _ in range(3):
        await clock.turn(50.0)
        assert not crowd.tells("telegram:1")
    assert crowd.tells("telegram:2")
    await clock.turn(quiet)
    assert crowd.tells("telegram:1") == told
