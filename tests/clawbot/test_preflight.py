"""`/fleet preflight` in the bot itself: what it sees beside the fleet, and how it answers."""

import asyncio
import json

import pytest

from clawbot.replies import PreflightReport
from fleet_control.preflight import Check, Outcome, Point, hidden, ok, unseen, wrong
from tests.clawbot.asked_preflight import faults, found, silent
from tests.clawbot.bots import KeptChat, registry
from tests.clawbot.talk import Talk, talk_with
from tests.clock import TurnedClock
from tests.fleet_control.aws import FakeEc2
from tests.idle import idle

ME = 80351110224678912
DISCORD = "ODAzNTExMTAyMjQ2Nzg5MTI.GabcdE.tokenOfTheTests"
TELEGRAM = "700100:AAtokenOfTheTests"
AGENTS = {"discordUserId": str(ME), "telegramUserId": "700100"}


async def _hang() -> Check:
    await asyncio.Event().wait()
    return ok(Point.CHANNELS, "Never.")


async def test_what_takes_longer_than_a_second_says_so_and_in_time_it_is_answered(
    talk: Talk, clock: TurnedClock
) -> None:
    talk.bot.preflight.ask("Discord", _hang)
    chat = KeptChat(clock)
    asked = asyncio.create_task(talk.bot.preflight.answer(chat.reply()))
    await clock.asleep(3)
    await clock.turn(0.9)
    assert chat.said == []
    await clock.turn(0.1)
    assert chat.said == [PreflightReport(looked_at=25)]
    await clock.turn(9)
    of = {one.name: one for one in (await asked).checks}
    told = "Discord did not answer in 8 s."
    assert of[Point.CHANNELS] == wrong(Point.CHANNELS, told, "Look again in a minute.")
    assert list(chat.messages) == ["1"]


async def test_what_is_seen_at_once_is_said_once(talk: Talk, clock: TurnedClock) -> None:
    chat = KeptChat(clock)
    reply = await talk.bot.preflight.answer(chat.reply())
    assert chat.said == [reply]
    assert clock.sleeping == 0


# The registry and the branch wait for the Control API, the branch for EC2, whose images here are of
# an earlier contract.
@pytest.mark.parametrize(
    ("settings", "hang", "expected"),
    [
        (["CLAWBOT_CONTROL_API_URL"], 3, {Point.API, Point.IMAGE}),
        (["CLAWBOT_EC2_URL"], 2, {Point.HOSTS}),
        (["CLAWBOT_CONTROL_API_URL", "CLAWBOT_EC2_URL"], 4, {Point.API, Point.HOSTS}),
    ],
)
async def test_whatever_hangs_the_answer_comes_within_ten_seconds_and_says_what(
    clock: TurnedClock, ec2: FakeEc2, settings: list[str], hang: int, expected: set[Point]
) -> None:
    ec2.forget()
    async with silent() as url, talk_with(clock, ec2, **dict.fromkeys(settings, url)) as talk:
        asked = asyncio.create_task(found(talk.bot))
        async with asyncio.timeout(20):
            await idle(waits_for_ec2=False)  # every look has begun
            while clock.sleeping > hang + 1:  # noqa: ASYNC110  (nothing tells of one cancelled)
                await asyncio.sleep(0.01)
            await clock.turn(10)
            of = await asked
    assert faults(of) == expected
    for point in expected - {Point.IMAGE}:
        assert of[point].told == "It did not answer in 10 s."


async def test_a_bot_of_no_platform_sees_no_channel_and_no_token(talk: Talk) -> None:
    of = await found(talk.bot)
    assert of[Point.CHANNELS] == unseen(Point.CHANNELS)
    assert of[Point.FLEET_CHANNEL] == unseen(Point.FLEET_CHANNEL)
    assert of[Point.TOKENS] == unseen(Point.TOKENS)


async def test_of_two_fronts_each_has_its_say_and_what_is_lacking_is_said_first(
    talk: Talk,
) -> None:
    async def also() -> Check:
        return ok(Point.CHANNELS, "Well too.")

    async def ill() -> Check:
        return wrong(Point.CHANNELS, "Ill.", "Mend it.")

    talk.bot.preflight.ask("Discord", _well)
    talk.bot.preflight.ask("Telegram", also)
    assert (await found(talk.bot))[Point.CHANNELS] == ok(Point.CHANNELS, "Well. Well too.")
    talk.bot.preflight.ask("Telegram", ill)
    assert (await found(talk.bot))[Point.CHANNELS] == wrong(Point.CHANNELS, "Ill.", "Mend it.")


@pytest.mark.parametrize(
    ("setting", "token", "field", "front"),
    [
        ("CLAWBOT_DISCORD_TOKEN", DISCORD, "discordUserId", "Discord"),
        ("CLAWBOT_TELEGRAM_TOKEN", TELEGRAM, "telegramUserId", "Telegram"),
    ],
)
async def test_an_account_by_which_an_agent_speaks_is_no_bot_s(
    clock: TurnedClock, ec2: FakeEc2, setting: str, token: str, field: str, front: str
) -> None:
    ec2.forget()
    async with talk_with(clock, ec2, **{setting: token}) as talk:
        before = await found(talk.bot)
        assert before[Point.TOKENS].outcome is Outcome.OK
        talk.api.registry = _speaking(field, AGENTS[field])
        await clock.turn(5)
        seen = (await found(talk.bot))[Point.TOKENS]
        assert seen.outcome is Outcome.WRONG
        assert seen.told == f"By the registry the bot's own account in {front} speaks as `claw-1`."
        assert seen.advice.startswith(f"Put the agent's own account into `{field}` of the entry ")
        talk.api.registry = _speaking(field, "12345678901234567")
        await clock.turn(5)
        assert (await found(talk.bot))[Point.TOKENS] == before[Point.TOKENS]


def _speaking(field: str, account: str) -> str:
    known = json.loads(registry("claw-1", "claw-2", "claw-3"))
    known["claw-1"][field] = account
    return json.dumps(known)


async def test_where_no_registry_is_read_whose_the_tokens_are_is_not_seen(
    clock: TurnedClock, ec2: FakeEc2
) -> None:
    ec2.forget()
    async with talk_with(clock, ec2, CLAWBOT_TELEGRAM_TOKEN=TELEGRAM) as talk:
        talk.api.registry = "{"
        seen = (await found(talk.bot))[Point.TOKENS]
    assert seen.outcome is Outcome.UNSEEN
    assert seen.told.startswith("The registry is not seen: ")


NAMED = {"CLAWBOT_DISCORD_FLEET_CHANNEL": "1", "CLAWBOT_DISCORD_TOKEN": DISCORD}
TELEGRAM_UNNAMED = wrong(
    Point.FLEET_CHANNEL,
    "No channel is told of the fleet in Telegram.",
    "Name one in `CLAWBOT_TELEGRAM_FLEET_CHAT`.",
)


async def test_a_front_for_which_no_channel_of_the_fleet_is_named_says_by_which_setting(
    talk: Talk,
) -> None:
    talk.bot.preflight.ask("Discord", _well, _may_speak)
    assert (await found(talk.bot))[Point.FLEET_CHANNEL] == wrong(
        Point.FLEET_CHANNEL,
        "No channel is told of the fleet in Discord.",
        "Name one in `CLAWBOT_DISCORD_FLEET_CHANNEL`.",
    )


async def test_of_a_channel_that_is_named_the_front_says_whether_it_may_speak_there(
    clock: TurnedClock, ec2: FakeEc2
) -> None:
    ec2.forget()
    async with talk_with(clock, ec2, **NAMED) as talk:
        talk.bot.preflight.ask("Discord", _well, _may_speak)
        seen = (await found(talk.bot))[Point.FLEET_CHANNEL]
        assert seen == ok(Point.FLEET_CHANNEL, "It may.")
        talk.bot.preflight.ask("Telegram", _well, _may_speak)
        assert (await found(talk.bot))[Point.FLEET_CHANNEL] == TELEGRAM_UNNAMED


async def test_of_a_front_that_does_not_serve_its_channel_of_the_fleet_is_not_seen(
    clock: TurnedClock, ec2: FakeEc2
) -> None:
    ec2.forget()
    async with talk_with(clock, ec2, **NAMED) as talk:
        talk.bot.preflight.ask("Discord", _well)
        assert (await found(talk.bot))[Point.FLEET_CHANNEL] == hidden(Point.FLEET_CHANNEL)


async def _well() -> Check:
    return ok(Point.CHANNELS, "Well.")


async def _may_speak() -> Check:
    return ok(Point.FLEET_CHANNEL, "It may.")
