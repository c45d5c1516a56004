"""A group full of strangers: operators are answered first, and each stranger one ask at a time."""

from collections.abc import AsyncIterator

import pytest

from clawbot.bot import assemble
from clawbot.settings import load
from clawbot.telegram.run import run
from sandbox.telegram_api.history import Json, group, private, user
from tests.telegram.scene import FLEET, TelegramScene, labels

CROWD, SECOND = 45, -200
# Two of a group's turns: the one that is under way, and the operator's own.
SOON_SECONDS = 8.0
# So that a busy machine's own time counts for little.
SLOWLY = 0.05
STATUS = "/fleet@fleet_bot status"


@pytest.fixture
async def crowded(scene: TelegramScene) -> AsyncIterator[TelegramScene]:
    """A bot that speaks no faster than Telegram lets it, in a group where it just did."""

    environ = scene.environ("demo") | {"CLAWBOT_TELEGRAM_CHATS": f"{FLEET},{SECOND}"}

    async def paced() -> None:
        async with assemble(load(environ), scene.host_clock) as bot:
            await run(bot, None, None, scene.poll_seconds, scene.answer_seconds)

    scene.begin("demo", paced())
    await scene.until(lambda: scene.telegram.updates.polls, each=0.1)
    for _ in range(5):
        await answered(scene, await scene.say("/fleet@fleet_bot help", scene.operator), each=0.1)
    yield scene
    await scene.kill()  # a stop would answer them all


async def answered(scene: TelegramScene, asked: Json, each: float = 0.5) -> Json:
    await scene.until(lambda: scene.answer_to(asked), each)
    return scene.answer_to(asked) or {}


def strangers() -> list[Json]:
    return [user(5000 + number) for number in range(CROWD)]


def one_often() -> list[Json]:
    return [user(5000)] * CROWD


def told(scene: TelegramScene) -> list[str]:
    shown = scene.telegram.history.shown(scene.fleet["id"])
    return [one["text"] for one in shown if "One at a time" in one["text"]]


@pytest.mark.parametrize("crowd", [strangers, one_often])
async def test_an_operator_is_answered_before_everybody_else(
    crowded: TelegramScene, crowd: object
) -> None:
    people = strangers() if crowd is strangers else one_often()
    for one in people:
        await crowded.say(STATUS, one)
    begun = crowded.clock.now()
    asked = [await crowded.say(words, crowded.operator) for words in (STATUS, "/fleet@fleet_bot")]
    await crowded.until(lambda: crowded.answer_to(asked[0]), SLOWLY)
    assert crowded.clock.now() - begun <= SOON_SECONDS
    await crowded.until(lambda: crowded.answer_to(asked[1]), each=0.5)
    answers = [one["message_id"] for one in map(crowded.answer_to, asked) if one]
    assert answers == sorted(answers)


async def test_of_many_asks_of_one_stranger_the_first_is_answered_and_the_rest_told_of_once(
    crowded: TelegramScene,
) -> None:
    asked = [await crowded.say(STATUS, crowded.visitor) for _ in range(CROWD)]
    await crowded.until(lambda: told(crowded))
    assert "2 instances" in str(crowded.answer_to(asked[0]))
    await crowded.until(lambda: not crowded.telegram.updates.waiting)
    later = await crowded.say(STATUS, crowded.visitor)
    await crowded.until(lambda: crowded.answer_to(later))
    assert sum(crowded.answer_to(one) is not None for one in asked) == 2
    assert len(told(crowded)) == 1


async def test_every_one_of_many_strangers_is_answered(crowded: TelegramScene) -> None:
    asked = [await crowded.say(STATUS, one) for one in strangers()]
    await crowded.until(lambda: all(map(crowded.answer_to, asked)), each=4.0)
    assert told(crowded) == []


async def test_an_instance_asks_one_at_a_time_too(crowded: TelegramScene) -> None:
    asked = [await crowded.say(STATUS, crowded.claw) for _ in range(3)]
    await crowded.until(lambda: told(crowded))
    assert [bool(crowded.answer_to(one)) for one in asked] == [True, True, False]


@pytest.mark.parametrize("crowd", [strangers, one_often])
async def test_presses_of_strangers_keep_no_operator_waiting(
    crowded: TelegramScene, crowd: object
) -> None:
    status = await answered(crowded, await crowded.say(STATUS, crowded.operator))
    refresh = next(label for label in labels(status) if "Refresh" in label)
    people = strangers() if crowd is strangers else one_often()
    queries = [await crowded.press(status, refresh, one) for one in people]
    begun = crowded.clock.now()
    asked = await crowded.say(STATUS, crowded.operator)
    await crowded.until(lambda: crowded.answer_to(asked), SLOWLY)
    assert crowded.clock.now() - begun <= SOON_SECONDS
    answers = crowded.telegram.methods.answers
    await crowded.until(lambda: all(query in answers for query in queries), SLOWLY)
    words = [answers[query][0] for query in queries if answers[query][0]]
    assert [one[:14] for one in words] == ([] if crowd is strangers else ["One at a time:"])


async def test_a_deploy_lives_on_among_strangers_and_its_asker_is_called(
    crowded: TelegramScene,
) -> None:
    asked = await crowded.say("/fleet@fleet_bot deploy claw-2", crowded.operator)
    reply = await answered(crowded, asked)
    await crowded.until(lambda: "queued" in reply["text"])
    for one in strangers():
        await crowded.say(STATUS, one)
    crowded.api.done(1)
    begun = crowded.clock.now()
    shown = crowded.telegram.history.shown
    await crowded.until(
        lambda: any("Your deploy" in one["text"] for one in shown(crowded.fleet["id"])), each=0.5
    )
    # A look every half a minute while it waits, and a turn each for the end and for the call.
    assert crowded.clock.now() - begun <= 30 + 2 * SOON_SECONDS


async def test_wherever_a_crowd_asks_an_operator_is_answered_elsewhere_at_once(
    crowded: TelegramScene,
) -> None:
    """In the fleet's other group, in one that is not the fleet's, and each alone with the bot."""
    for one in strangers():
        await crowded.say(STATUS, one)
        for chat in (group(SECOND), group(-77), private(one["id"])):
            await crowded.people.say(chat, one, STATUS)
    begun = crowded.clock.now()
    alone = await crowded.say("/fleet status")
    second = await crowded.people.say(group(SECOND), crowded.operator, STATUS)
    await crowded.until(lambda: crowded.answer_to(alone), SLOWLY)
    await crowded.until(lambda: crowded.answer_to(second), SLOWLY)
    assert crowded.clock.now() - begun <= SOON_SECONDS
    assert crowded.telegram.history.shown(-77) == []
