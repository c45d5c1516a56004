"""When Telegram may forget an update: once something was shown for it, or after a while."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from clawbot.bot import assemble
from clawbot.settings import load
from clawbot.telegram.run import run
from sandbox.telegram_api.history import Json, group, user
from tests.clock import TurnedLoop
from tests.telegram.bringing import Bringing
from tests.telegram.scene import SOON, TelegramScene
from tests.telegram.test_webhook import serving


@pytest.fixture
async def killed(scene: TelegramScene) -> AsyncIterator[TelegramScene]:
    """A clean stop would wait for what can't be said."""
    yield scene
    await scene.kill()


def silence(scene: TelegramScene) -> None:
    """Nothing can be said for a long time, while everything is heard."""
    scene.telegram.weather.bad_gateway("sendMessage", times=10_000)


async def tried(scene: TelegramScene, asked: Json, times: int = 1, each: float = 0.1) -> None:
    """Return once it was tried so often to answer that message."""
    chat, answers = str(asked["chat"]["id"]), f'"message_id": {asked["message_id"]}'

    def tries() -> int:
        return sum(
            one.sent["chat_id"] == chat and answers in one.sent["reply_parameters"]
            for one in scene.telegram.called("sendMessage")
        )

    await scene.until(lambda: tries() >= times, each)


async def forgotten(scene: TelegramScene) -> None:
    await scene.until(lambda: not scene.telegram.updates.waiting, each=0.1)


async def later(scene: TelegramScene, seconds: float) -> None:
    until = scene.clock.now() + seconds
    await scene.until(lambda: scene.clock.now() >= until, each=1.0)


async def test_an_ask_is_kept_until_its_answer_is_shown(scene: TelegramScene) -> None:
    await scene.start()
    scene.telegram.weather.bad_gateway("sendMessage", times=3)
    asked = await scene.say("/fleet status")
    await tried(scene, asked, 3)
    assert len(scene.telegram.updates.waiting) == 1
    await scene.until(lambda: scene.answer_to(asked), each=0.1)
    await forgotten(scene)


async def test_what_comes_meanwhile_is_heard_within_a_second_or_two(killed: TelegramScene) -> None:
    await killed.start()
    silence(killed)
    await tried(killed, await killed.say("/fleet status"))
    begun, polls = killed.clock.now(), killed.telegram.updates.polls
    await tried(killed, await killed.say("/fleet@fleet_bot help", killed.operator))
    assert killed.clock.now() - begun <= 2.0
    await later(killed, 30)
    assert killed.telegram.updates.polls - polls <= 35


async def test_what_could_not_be_answered_for_two_minutes_is_forgotten(
    killed: TelegramScene,
) -> None:
    await killed.start()
    silence(killed)
    await tried(killed, await killed.say("/fleet status"))
    await later(killed, 115)
    assert killed.telegram.updates.waiting
    await later(killed, 8)
    assert killed.telegram.updates.waiting == []


async def test_what_nobody_answers_is_forgotten_at_once(killed: TelegramScene) -> None:
    await killed.start()
    silence(killed)
    await killed.people.say(group(-77), killed.visitor, "/fleet@fleet_bot status")
    await forgotten(killed)
    await tried(killed, await killed.say("/fleet@fleet_bot status", killed.visitor))
    dropped = killed.telegram.updates
    for _ in range(3):
        await killed.say("/fleet@fleet_bot status", killed.visitor)
    assert len(dropped.waiting) == 4


async def test_a_hundred_that_can_not_be_answered_keep_nobody_unheard(
    killed: TelegramScene,
) -> None:
    await killed.start()
    killed.telegram.weather.flood("sendMessage", retry_after=1000)  # in the group
    await tried(killed, await killed.say("/fleet@fleet_bot status", killed.visitor))
    for number in range(150):
        await killed.say("/fleet@fleet_bot status", user(5000 + number))
    asked = await killed.say("/fleet help")
    await killed.until(lambda: killed.answer_to(asked), each=0.1)
    await killed.until(lambda: len(killed.telegram.updates.waiting) == 50, each=0.1)


async def test_a_stop_leaves_what_nothing_was_shown_for_to_the_successor(
    scene: TelegramScene,
) -> None:
    loop = TurnedLoop()
    task = await scene.start()
    scene.telegram.weather.flood("sendMessage", retry_after=1000)
    asked = await scene.say("/fleet status")
    await tried(scene, asked)
    task.cancel()
    await loop.turn(31)
    await asyncio.wait([task])
    assert [one["message"] for one in scene.telegram.updates.waiting] == [asked]
    await scene.start()
    await scene.until(lambda: scene.answer_to(asked), each=0.1)
    assert len(scene.telegram.history.shown(asked["chat"]["id"])) == 1


async def test_a_front_that_begins_again_in_the_same_process_answers_it_then(
    scene: TelegramScene,
) -> None:
    loop = TurnedLoop()
    async with assemble(load(scene.environ("demo")), scene.host_clock) as bot:
        task = scene.begin("demo", run(bot, None, SOON, scene.poll_seconds, 2.0))
        await scene.until(lambda: scene.telegram.updates.polled, each=0.1)
        scene.telegram.weather.flood("sendMessage", retry_after=1000)
        asked = await scene.say("/fleet status")
        await tried(scene, asked)
        task.cancel()
        await loop.turn(31)
        await asyncio.wait([task])
        scene.begin("demo", run(bot, None, SOON, scene.poll_seconds, 2.0))
        await scene.until(lambda: scene.answer_to(asked), each=0.1)
        await scene.stop()


async def test_a_hundred_are_asked_for_at_a_time(scene: TelegramScene) -> None:
    await scene.start()
    assert {one.sent["limit"] for one in scene.telegram.called("getUpdates")} == {"100"}


# -- by webhook ----------------------------------------------------------------------------


@pytest.fixture
async def brought(scene: TelegramScene) -> AsyncIterator[Bringing]:
    await serving(scene)
    bringing = Bringing(scene)
    task = asyncio.create_task(bringing.run())
    yield bringing
    task.cancel()
    await asyncio.wait([task])


async def test_a_webhook_answers_once_something_is_shown(
    scene: TelegramScene, brought: Bringing
) -> None:
    scene.telegram.weather.bad_gateway("sendMessage", times=3)
    asked = await scene.say("/fleet status")
    await tried(scene, asked, 3)
    assert brought.statuses == []
    await scene.until(lambda: scene.answer_to(asked), each=0.1)
    await scene.until(lambda: brought.statuses == [200], each=0.1)


@pytest.mark.parametrize(("operator", "seconds"), [(True, 20.0), (False, 1.0)])
async def test_a_webhook_keeps_telegram_waiting_for_moments_only(
    killed: TelegramScene, brought: Bringing, operator: bool, seconds: float
) -> None:
    silence(killed)
    who = killed.operator if operator else killed.visitor
    await tried(killed, await killed.say("/fleet@fleet_bot status", who))
    begun = killed.clock.now()
    await killed.until(lambda: brought.statuses == [200], each=0.1)
    assert seconds - 1 <= killed.clock.now() - begun <= seconds + 1


async def test_a_crowd_keeps_no_operator_from_being_heard_by_a_webhook(
    killed: TelegramScene, brought: Bringing
) -> None:
    """Telegram brings what was said in one chat one after the other."""
    silence(killed)
    for number in range(45):
        await killed.say("/fleet@fleet_bot status", user(5000 + number))
    begun = killed.clock.now()
    await tried(killed, await killed.say("/fleet@fleet_bot help", killed.operator), each=0.02)
    assert killed.clock.now() - begun <= 20.0  # of the 45 that a second for each would be
    assert set(brought.statuses) == {200}


async def test_a_webhook_that_stops_says_that_it_did_not_answer(
    scene: TelegramScene, brought: Bringing
) -> None:
    loop = TurnedLoop()
    silence(scene)
    task = scene.task()
    await tried(scene, await scene.say("/fleet status"))
    task.cancel()
    await loop.turn(31)
    await asyncio.wait([task])
    assert set(brought.statuses) == {503}
    assert scene.telegram.updates.waiting
