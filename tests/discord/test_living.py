"""A reply that lives longer than what it began with: token, hour, socket, patience of Discord."""

from functools import partial
from itertools import pairwise

import pytest

from clawbot.ledger_view import LIVING
from fleet_control.announcement import LIVING_EVERY_SECONDS
from sandbox.discord_api import limit
from sandbox.discord_api.channel import born
from sandbox.discord_api.guild import Message
from tests.clawbot.control_api import job, run
from tests.discord.dialogue import MOVES, deploying, pings
from tests.discord.scene import DiscordScene
from tests.fleet_control.past_runs import rolled, steps


def edits(scene: DiscordScene, by: str) -> int:
    return sum(method == "PATCH" and by in path for method, path in scene.discord.asked)


async def running(scene: DiscordScene, reply: Message) -> None:
    scene.api.running(1, job(MOVES, None, "in_progress"))
    await scene.until(lambda: "replacing" in reply.text)


async def test_after_15_minutes_it_goes_on_through_the_channel(scene: DiscordScene) -> None:
    await scene.start()
    asked, reply = await deploying(scene)
    await running(scene, reply)
    assert edits(scene, "/channels/") == 0
    await scene.clock.turn(limit.TOKEN_SECONDS)
    before = edits(scene, "/webhooks/")
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: "done" in reply.text)
    assert edits(scene, "/channels/") == 1
    assert edits(scene, "/webhooks/") == before
    assert asked.message is reply


@pytest.mark.parametrize("code", [10015, 10062, 50027])
async def test_a_token_that_died_early_is_gone_around(scene: DiscordScene, code: int) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    dead = {"message": "Invalid Webhook Token", "code": code}
    scene.discord.refuse_next("PATCH", "/webhooks/", 401, dead)
    await running(scene, reply)
    assert edits(scene, "/channels/") == 1


async def test_after_an_hour_a_new_message_follows(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    await running(scene, reply)
    await scene.clock.turn(limit.EDITABLE_SECONDS)
    scene.api.running(1, job(MOVES), job(MOVES.replace("2", "1"), None, "in_progress"))
    await scene.until(lambda: len(scene.channel()) == 2)
    new = scene.channel()[-1]
    assert new.reference == reply.id
    assert "**claw-1**" in new.text
    scene.api.done(1, job(MOVES), job(MOVES.replace("2", "1")))
    await scene.until(lambda: pings(scene))
    assert "done" in new.text
    assert pings(scene)[0].reference == new.id


async def test_a_reply_that_somebody_deleted_is_followed_by_a_new_one(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    del scene.discord.guild.messages[reply.id]
    scene.discord.refuse_next("PATCH", "/webhooks/", 404, {"message": "Unknown", "code": 10008})
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: pings(scene))
    assert "done" in scene.channel()[0].text


async def test_a_429_is_obeyed(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    before = edits(scene, "/webhooks/")
    wait = 0.4
    body = {"message": "You are being rate limited.", "retry_after": wait, "global": False}
    slow = scene.discord.refuse_next(
        "PATCH", "/webhooks/", 429, body, Via="1.1 google", **{"Retry-After": str(wait)}
    )
    scene.api.running(1, job(MOVES, None, "in_progress"))
    await scene.until(lambda: slow not in scene.discord.injected)
    await scene.until(lambda: "replacing" in reply.text)
    came = zip(scene.discord.asked, scene.discord.moments, strict=True)
    refused, taken = [moment for (_, path), moment in came if "/webhooks/" in path][-2:]
    assert taken - refused >= wait
    assert edits(scene, "/webhooks/") == before + 2


@pytest.mark.parametrize("status", [429, 503])
async def test_the_end_is_shown_once_discord_is_back(scene: DiscordScene, status: int) -> None:
    """What is shown on the way can be left out; nothing comes after the end."""
    await scene.start()
    _, reply = await deploying(scene)
    await running(scene, reply)
    await scene.clock.turn(limit.TOKEN_SECONDS)
    away = {"message": "upstream", "code": 0}
    gone = [scene.discord.refuse_next("PATCH", "/channels/", status, away) for _ in range(3)]
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: pings(scene))
    assert not any(one in scene.discord.injected for one in gone)
    assert "done" in reply.text


async def test_edits_keep_their_distance_and_only_tell_news(scene: DiscordScene) -> None:
    await scene.start(CLAWBOT_RUNNING_EVERY="1")
    _, reply = await deploying(scene)
    await running(scene, reply)
    many = [job(f"host-{n}: none -> ami-0cccccccccccccccc") for n in range(1, 8)]
    moments = []
    for count in range(1, len(many)):
        scene.api.running(1, *many[:count], job(MOVES, None, "in_progress"))
        await scene.until(lambda: f"**host-{count}**" in reply.text)  # noqa: B023  (awaited here)
        moments.append(scene.clock.now())
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert 4.0 <= min(gaps) <= max(gaps) < 8.0
    shown = len(reply.bodies)
    await scene.clock.turn(300)
    assert len(reply.bodies) == shown


async def test_the_gateway_drops_and_resumes_in_the_middle(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    (session,) = scene.discord.sessions
    await session.drop()
    asked = await scene.discord.command(scene.app, scene.visitor, "status")
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: pings(scene))
    assert "done" in reply.text
    assert "2 instances" in (await scene.replied(asked)).text
    assert session.resumed == 1
    assert scene.discord.sessions == [session]


async def test_a_session_that_can_t_be_resumed_is_begun_anew(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    (session,) = scene.discord.sessions
    scene.discord.sessions.clear()
    await session.drop()
    await scene.until(lambda: scene.discord.sessions)
    asked = await scene.discord.command(scene.app, scene.visitor, "help")
    await scene.replied(asked)
    assert asked.answers == 1
    begun = [path for method, path in scene.discord.asked if path.endswith("/commands")]
    assert len(begun) == 2  # looked at and sent, when the bot began; not again since
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: pings(scene))
    await scene.clock.turn(60)
    assert "done" in reply.text
    assert len(pings(scene)) == 1


async def test_ids_tell_when_they_were_made(scene: DiscordScene) -> None:
    assert abs(born(scene.discord.fleet.id) - scene.clock.now()) < 0.001


def _has_said(scene: DiscordScene, times: int) -> bool:
    return scene.api.count("living") >= times


async def _lives_until(scene: DiscordScene, moment: float) -> None:
    """A bot that has not said so for five minutes would first have to ask whether its reply is."""
    # By then an answer that was under way when time passed speaks for its moment still.
    while moment - scene.clock.now() > 2 * LIVING_EVERY_SECONDS:
        said = scene.api.count("living") + 1
        await scene.clock.turn(2 * LIVING_EVERY_SECONDS)
        await scene.until(partial(_has_said, scene, said), each=0.1)
    await scene.clock.turn(moment - scene.clock.now())


@pytest.mark.parametrize(
    ("age", "way", "messages"),
    [(825, "/webhooks/", 1), (850, "/channels/", 1), (3525, "/channels/", 1), (3550, "", 2)],
)
async def test_each_way_is_left_a_minute_before_discord_closes_it(
    scene: DiscordScene, age: float, way: str, messages: int
) -> None:
    await scene.start(CLAWBOT_WAITING_EVERY="1")
    _, reply = await deploying(scene)
    await _lives_until(scene, born(reply.id) + age)
    before = len(scene.discord.asked)
    scene.api.running(1, job(MOVES, None, "in_progress"))
    # In small steps: on a busy machine each may pass before the answer of the one before it is in.
    await scene.until(lambda: "replacing" in scene.channel()[-1].text, each=0.25)
    edits = [path for method, path in scene.discord.asked[before:] if method == "PATCH"]
    assert all(way in path for path in edits)
    assert len(scene.channel()) == messages
    assert scene.clock.now() - born(reply.id) < age + 10


async def test_a_deploy_that_is_looked_at_lives_and_calls_nobody(scene: DiscordScene) -> None:
    scene.api.runs = [run(7, "queued", request_id="", requested_by="telegram:9 sam")]
    await scene.start()
    asked = await scene.discord.command(scene.app, scene.visitor, "run", run=7)
    reply = await scene.replied(asked)
    assert "Asked for by sam in Telegram <t:" in reply.text
    assert LIVING in reply.text
    scene.api.change(7, status="completed", conclusion="success")
    await scene.until(lambda: "done" in reply.text)
    await scene.clock.turn(60)
    assert LIVING not in reply.text
    assert (list(scene.channel()), scene.api.count("told")) == ([reply], 0)
    assert scene.discord.problems == []


async def test_one_that_is_looked_at_stays_as_it_is_after_a_restart(scene: DiscordScene) -> None:
    scene.api.runs = [run(7, "queued", request_id="discord.demo.5.1", reply="")]
    await scene.start()
    reply = await scene.replied(await scene.discord.command(scene.app, scene.visitor, "run", run=7))
    await scene.stop("demo")
    stood = reply.text
    scene.api.change(7, status="completed", conclusion="success")
    await scene.start()
    await scene.clock.turn(300)
    assert (reply.text, LIVING in stood) == (stood, True)
    assert list(scene.channel()) == [reply]


@pytest.mark.parametrize("is_known", [True, False])
async def test_what_is_expected_of_a_roll_costs_no_edit(
    scene: DiscordScene, is_known: bool
) -> None:
    scene.api.runs = [rolled(1, 120, "claw-1", "claw-2", "claw-3")]
    if not is_known:
        scene.api.refused["history"] = 503, {"ok": False, "code": "github_down", "error": "No."}
    await scene.start()
    _, reply = await deploying(scene)
    before = len(reply.bodies)
    for jobs, told in steps():
        shown = len(reply.bodies)
        scene.api.running(2, *jobs)
        await scene.until(lambda: len(reply.bodies) > shown)  # noqa: B023  (awaited here)
        assert told in reply.text
        assert ("end expected <t:" in reply.text) is is_known
        await scene.clock.turn(300)
    scene.api.done(2, *jobs)
    await scene.until(lambda: pings(scene))
    assert "expected" not in reply.text
    assert len(reply.bodies) - before == 9
