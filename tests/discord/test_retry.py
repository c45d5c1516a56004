"""A connection that breaks, or a Discord that is away: nothing that was said is lost by it."""

import pytest

from sandbox.discord_api.guild import Message
from sandbox.discord_api.interaction import Interaction
from tests.clawbot.control_api import job
from tests.discord.dialogue import MOVES, answer, deploying, pings, question, said, whispered
from tests.discord.scene import DiscordScene

AWAY = {"message": "upstream", "code": 0}


async def shown(scene: DiscordScene, asked: Interaction) -> Message:
    """The reply, for which time has to pass."""
    await scene.until(lambda: asked.message and not asked.message.loading)
    return await scene.replied(asked)


@pytest.mark.parametrize("taken", [False, True])
async def test_a_deferral_whose_connection_breaks_is_tried_again_at_once(
    scene: DiscordScene, taken: bool, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.start()
    scene.discord.drop_next("POST", "/callback", taken=taken)
    now = scene.clock.now()
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", target="claw-2")
    await scene.discord.until(lambda: asked.answers and asked.message)
    assert scene.clock.now() == now
    await scene.until(lambda: asked.message and "queued" in asked.message.text)
    assert scene.api.count("deploy") == 1
    assert "Traceback" not in caplog.text
    assert "Another program" not in caplog.text


@pytest.mark.parametrize("taken", [False, True])
async def test_a_press_whose_connection_breaks_counts(scene: DiscordScene, taken: bool) -> None:
    await scene.start()
    _, reply = await question(scene)
    scene.discord.drop_next("POST", "/callback", taken=taken)
    await scene.discord.press(scene.app, scene.operator, reply, reply.buttons["Deploy"])
    await scene.until(lambda: "queued" in reply.text)
    assert scene.api.count("deploy") == 1


async def test_a_deferral_that_never_gets_through_is_given_up_in_one_line(
    scene: DiscordScene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.start()
    drops = [scene.discord.drop_next("POST", "/callback") for _ in range(3)]
    await scene.discord.command(scene.app, scene.operator, "deploy", target="claw-2")
    await scene.until(lambda: not any(one in scene.discord.injected for one in drops))
    await scene.replied(await scene.discord.command(scene.app, scene.visitor, "help"))
    assert scene.api.count("deploy") == 0
    assert "Traceback" not in caplog.text


async def test_the_first_edit_is_tried_until_discord_is_back(scene: DiscordScene) -> None:
    await scene.start()
    for _ in range(3):
        scene.discord.drop_next("PATCH", "/webhooks/")
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", target="claw-2")
    assert "claw-2" in (await shown(scene, asked)).text
    assert scene.discord.injected == []
    await scene.until(lambda: scene.api.runs)
    assert scene.api.count("deploy") == 1


async def test_a_yes_s_first_edit_is_tried_until_discord_is_back(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await question(scene)
    for _ in range(2):
        scene.discord.drop_next("PATCH", "/webhooks/")
    await scene.discord.press(scene.app, scene.operator, reply, reply.buttons["Deploy"])
    await scene.until(lambda: "queued" in reply.text)
    assert scene.discord.injected == []
    assert scene.api.count("deploy") == 1


async def test_a_deploy_that_could_not_be_announced_is_not_begun_and_its_asker_is_told(
    scene: DiscordScene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.start()
    for _ in range(12):
        scene.discord.drop_next("PATCH", "/webhooks/")
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", target="claw-2")
    reply = await shown(scene, asked)
    assert "Discord was away" in reply.text
    assert "Something broke" not in reply.text
    assert scene.discord.injected == []
    assert scene.api.count("deploy") == 0
    assert "Traceback" not in caplog.text


async def test_a_status_that_could_not_be_shown_in_time_is_not_shown_late(
    scene: DiscordScene,
) -> None:
    await scene.start()
    for _ in range(12):
        scene.discord.drop_next("PATCH", "/webhooks/")
    asked = await scene.discord.command(scene.app, scene.operator, "status")
    assert "Discord was away" in (await shown(scene, asked)).text


@pytest.mark.parametrize("taken", [False, True])
async def test_a_mention_is_answered_once_discord_is_back(scene: DiscordScene, taken: bool) -> None:
    await scene.start()
    scene.discord.drop_next("POST", "/messages", taken=taken)
    asked = await said(scene, scene.operator, "/fleet deploy claw-2")
    reply = await answer(scene, asked)
    await scene.until(lambda: "queued" in reply.text)
    assert scene.channel() == [asked, reply]
    assert scene.api.count("deploy") == 1


@pytest.mark.parametrize("taken", [False, True])
async def test_the_ping_comes_once(scene: DiscordScene, taken: bool) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    scene.discord.drop_next("POST", "/messages", taken=taken)
    scene.api.done(1, job(MOVES))
    path = f"/api/v10/channels/{reply.channel}/messages"
    await scene.until(lambda: scene.discord.asked.count(("POST", path)) == 2)
    await scene.until(lambda: pings(scene))
    assert "done" in reply.text
    assert len(pings(scene)) == 1


async def test_the_ping_waits_until_discord_is_back(scene: DiscordScene) -> None:
    await scene.start()
    await deploying(scene)
    for _ in range(4):
        scene.discord.refuse_next("POST", "/messages", 503, AWAY)
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: pings(scene))
    assert scene.discord.injected == []


async def test_a_new_message_that_goes_on_is_made_once(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    await scene.clock.turn(3600)
    scene.discord.drop_next("POST", "/messages", taken=True)
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: pings(scene))
    followed = [one for one in scene.channel() if one.reference == reply.id]
    assert len(followed) == 1
    assert "done" in followed[0].text


async def test_a_whisper_is_tried_again(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await question(scene)
    scene.discord.drop_next("POST", "/webhooks/")
    pressed = await scene.discord.press(scene.app, scene.owner, reply, reply.buttons["Deploy"])
    assert "Only the one who asked" in await whispered(scene, pressed)


@pytest.mark.parametrize("away", [0, 3])
async def test_a_clock_that_is_set_back_an_hour_silences_nobody(
    scene: DiscordScene, away: int
) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    # Answered after the edit: whatever that left to be waited for is reckoned by now.
    await shown(scene, await scene.discord.command(scene.app, scene.visitor, "help"))
    begun = scene.clock.monotonic()
    scene.host_clock.off = -3600.0
    for _ in range(away):
        scene.discord.drop_next("PATCH", "/webhooks/")
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: "done" in reply.text)
    asked = await scene.discord.command(scene.app, scene.operator, "status")
    assert "claw-2" in (await shown(scene, asked)).text
    assert scene.clock.monotonic() - begun < 60


@pytest.mark.parametrize(("tries", "announced"), [(7, True), (8, False)])
async def test_a_deploy_is_announced_within_two_minutes_or_not_begun(
    scene: DiscordScene, tries: int, announced: bool
) -> None:
    """The pauses double up to half a minute: seven tries take a minute and a half."""
    await scene.start()
    for _ in range(tries):
        scene.discord.drop_next("PATCH", "/webhooks/")
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", target="claw-2")
    reply = await shown(scene, asked)
    await scene.until(lambda: "queued" in reply.text or "Discord was away" in reply.text)
    assert ("queued" in reply.text) == announced
    assert scene.api.count("deploy") == announced


@pytest.mark.parametrize(("tries", "called"), [(40, True), (126, False)])
async def test_an_asker_is_called_within_an_hour_or_not_at_all(
    scene: DiscordScene, tries: int, called: bool, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.start()
    await deploying(scene)
    for _ in range(tries):
        scene.discord.refuse_next("POST", "/messages", 503, AWAY)
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: pings(scene) or "discord.asker_not_told" in caplog.text, each=30.0)
    assert len(pings(scene)) == called
