"""Looks side by side: each point has one answer within ten seconds, whatever hangs or breaks."""

import asyncio
from collections.abc import Iterable

import pytest

from fleet_control.look import Look, look
from fleet_control.preflight import AT_A_DESK, Check, Outcome, Point, ok, unseen, wrong
from tests.clock import TurnedClock


def _finds(*checks: Check) -> Look:
    async def see() -> Iterable[Check]:
        return checks

    return Look(tuple(Point(one.name) for one in checks), see)


async def _hang() -> Iterable[Check]:
    await asyncio.Event().wait()
    return ()


async def test_every_point_has_one_check_in_one_order() -> None:
    looks = (_finds(ok(Point.ROLES, "There.")), _finds(ok(Point.API, "There.")))
    found = await look(looks, TurnedClock())
    assert [one.name for one in found] == list(Point)
    assert found[0] == ok(Point.API, "There.")


async def test_what_nobody_looks_at_is_unseen_and_says_who_sees_it() -> None:
    of = {one.name: one for one in await look((), TurnedClock())}
    assert {one.outcome for one in of.values()} == {Outcome.UNSEEN}
    assert of[Point.BUNDLES].advice == AT_A_DESK
    assert of[Point.CHANNELS].advice == "`/fleet preflight` in Discord or Telegram sees it."
    assert of[Point.QUOTA].advice == "Whoever reaches the Control API sees it."


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        ((unseen(Point.TABLE, "Away."), ok(Point.TABLE, "There.")), Outcome.OK),
        ((wrong(Point.TABLE, "Gone.", "Make it."), ok(Point.TABLE, "There.")), Outcome.WRONG),
        ((ok(Point.TABLE, "There."), wrong(Point.TABLE, "Gone.", "Make it.")), Outcome.WRONG),
        ((wrong(Point.TABLE, "Gone.", "Make it."), unseen(Point.TABLE)), Outcome.WRONG),
    ],
)
async def test_of_two_looks_at_one_point_the_one_that_found_more_is_shown(
    found: tuple[Check, ...], shown: Outcome
) -> None:
    checks = await look([_finds(one) for one in found], TurnedClock())
    assert [one.outcome for one in checks if one.name == Point.TABLE] == [shown]


async def test_a_look_that_hangs_is_over_after_ten_seconds_and_its_first_point_is_wrong() -> None:
    clock = TurnedClock()
    hanging = Look((Point.HOSTS, Point.IMAGE), _hang, Point.HOSTS, "Wait for EC2.")
    asked = asyncio.create_task(look((hanging, _finds(ok(Point.API, "There."))), clock))
    await clock.asleep(1)
    await clock.turn(9.9)
    assert not asked.done()
    await clock.turn(0.1)
    of = {one.name: one for one in await asked}
    assert of[Point.HOSTS] == wrong(Point.HOSTS, "It did not answer in 10 s.", "Wait for EC2.")
    first = "Mend what is wrong first."
    assert of[Point.IMAGE] == unseen(Point.IMAGE, "There was no answer in 10 s.", first)
    assert of[Point.API].outcome is Outcome.OK


async def test_of_one_that_hangs_and_is_not_to_blame_all_is_unseen() -> None:
    clock = TurnedClock()
    asked = asyncio.create_task(look([Look((Point.REGISTRY,), _hang)], clock))
    await clock.asleep(1)
    await clock.turn(10)
    (found,) = (one for one in await asked if one.name == Point.REGISTRY)
    assert found == unseen(
        Point.REGISTRY, "There was no answer in 10 s.", "Look again in a minute."
    )


async def test_a_look_that_breaks_leaves_the_others_and_tells_no_trace() -> None:
    async def broken() -> Iterable[Check]:
        raise RuntimeError("s3cret")

    looks = (Look((Point.HOSTS,), broken), _finds(ok(Point.API, "There.")))
    of = {one.name: one for one in await look(looks, TurnedClock())}
    assert of[Point.HOSTS] == unseen(Point.HOSTS, "The look at this broke: see the log.")
    assert of[Point.API].outcome is Outcome.OK
