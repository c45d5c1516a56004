"""What was said while nobody heard it: taken up by whoever is there next, once."""

import discord
import pytest
from discord.ext import commands

from clawbot.bot import assemble
from clawbot.discord.run import Client, Logins
from clawbot.readiness import unwatched
from clawbot.settings import load
from sandbox.discord_api.guild import Message
from sandbox.discord_api.interaction import Interaction
from tests.clock import TurnedLoop
from tests.discord.dialogue import answer, pings, said
from tests.discord.scene import DiscordScene

TOO_OLD = "That reached me more than two minutes late: too old. Say it again."
RESTARTED = "I was restarted before I could answer you, and began nothing. Ask again."


async def killed_while_thinking(scene: DiscordScene, sub: str = "status") -> Interaction:
    await scene.start()
    await scene.clock.turn(120)  # what is known of the registry is old by then
    scene.api.released.clear()
    options = {"target": "claw-2"} if sub == "deploy" else {}
    asked = await scene.discord.command(scene.app, scene.operator, sub, None, **options)
    await scene.discord.until(lambda: asked.message)
    await scene.kill()
    scene.line.begin(0)
    scene.api.released.set()
    return asked


async def looked(scene: DiscordScene, times: int = 1) -> None:
    """Return once the channel was read so often, and what came of it has been said."""
    reading = ("GET", f"/api/v10/channels/{scene.discord.fleet.id}/messages")
    await scene.until(lambda: scene.discord.asked.count(reading) >= times)
    await scene.replied(await scene.discord.command(scene.app, scene.visitor, "help"))


def answers(scene: DiscordScene, to: Message) -> list[str]:
    return [one.text for one in scene.channel() if one.reference == to.id]


@pytest.mark.parametrize("sub", ["status", "deploy"])
async def test_a_command_that_nobody_answers_any_more_is_told_so(
    scene: DiscordScene, sub: str
) -> None:
    asked = await killed_while_thinking(scene, sub)
    await scene.start()
    await scene.until(lambda: pings(scene))
    await scene.until(lambda: asked.message not in scene.channel())
    (told,) = scene.channel()
    assert told.text == f"<@{scene.operator.id}> {RESTARTED}"
    assert told.body["allowed_mentions"]["users"] == [int(scene.operator.id)]
    assert scene.api.count("deploy") == 0


@pytest.mark.parametrize(("ago", "told"), [(890, 1), (905, 0)])
async def test_after_a_quarter_of_an_hour_discord_has_said_so_itself(
    scene: DiscordScene, ago: float, told: int
) -> None:
    await killed_while_thinking(scene)
    await scene.clock.turn(ago)
    await scene.start()
    await looked(scene, 2)
    await scene.until(lambda: len(pings(scene)) == told)


async def test_a_bot_that_dies_while_it_says_so_says_it_once(scene: DiscordScene) -> None:
    asked = await killed_while_thinking(scene)
    for moment in range(1, 8):
        scene.line.begin(moment)
        scene.run("demo", scene.app)
        await scene.until(lambda: scene.line.is_cut)
        await scene.kill()
    scene.line.begin(0)
    await scene.start()
    await scene.until(lambda: asked.message not in scene.channel())
    assert len(pings(scene)) == 1


async def test_what_the_host_that_is_replaced_thinks_about_is_its_own(scene: DiscordScene) -> None:
    await scene.start()
    await scene.clock.turn(120)
    scene.api.released.clear()
    asked = await scene.discord.command(scene.app, scene.operator, "status")
    await scene.discord.until(lambda: asked.message)
    scene.run("successor", scene.app)
    reading = ("GET", f"/api/v10/channels/{scene.discord.fleet.id}/messages")
    await scene.until(lambda: scene.discord.asked.count(reading) == 2, each=0.1)
    scene.api.released.set()
    assert "2 instances" in (await scene.replied(asked)).text
    await scene.clock.turn(30)
    assert asked.message in scene.channel()
    assert pings(scene) == []


async def test_what_another_bot_thinks_about_is_its_own(scene: DiscordScene) -> None:
    other = scene.discord.application("otherbot")
    asked = await killed_while_thinking(scene)
    await scene.start("other", other)
    reading = ("GET", f"/api/v10/channels/{scene.discord.fleet.id}/messages")
    await scene.until(lambda: scene.discord.asked.count(reading) == 2)
    await scene.replied(await scene.discord.command(other, scene.visitor, "help"))
    assert asked.message is not None
    assert asked.message.loading
    assert pings(scene) == []


async def test_in_a_bot_with_other_commands_it_may_be_theirs(scene: DiscordScene) -> None:
    asked = await killed_while_thinking(scene)

    async def beside_another() -> None:
        async with assemble(load(scene.environ("demo", scene.app)), scene.host_clock) as bot:
            client = Client(bot, unwatched("Discord"), Logins(), guild_ready_timeout=0.05)

            @client.tree.command(description="another's")
            async def other(_: discord.Interaction[commands.Bot]) -> None:
                """Thinks for a while."""

            async with client:
                await client.start(scene.app.token)

    scene.begin("demo", beside_another())
    await looked(scene, 2)
    assert asked.message in scene.channel()
    assert pings(scene) == []


@pytest.mark.parametrize(("ago", "told"), [(118, ["queued"]), (122, [TOO_OLD]), (905, [])])
async def test_a_mention_that_came_while_it_was_away_is_taken_up(
    scene: DiscordScene, ago: float, told: list[str]
) -> None:
    asked = await said(scene, scene.operator, "/fleet deploy claw-2")
    await scene.clock.turn(ago)
    task = scene.run("demo", scene.app)
    await scene.until(lambda: "fleet" in scene.app.commands, each=0.01)
    await looked(scene)
    await scene.until(lambda: len(answers(scene, asked)) == len(told))
    await scene.until(
        lambda: all(words in text for words, text in zip(told, answers(scene, asked), strict=True))
    )
    assert scene.api.count("deploy") == (told == ["queued"])
    assert not task.done()


async def test_what_was_answered_already_is_not_taken_up_again(scene: DiscordScene) -> None:
    await scene.start()
    asked = await said(scene, scene.operator, "/fleet status")
    await answer(scene, asked)
    await scene.stop()
    await scene.start()
    await looked(scene, 2)
    assert len(answers(scene, asked)) == 1


async def test_a_deploy_that_the_ledger_has_is_not_begun_again(scene: DiscordScene) -> None:
    """Though somebody took its reply away."""
    await scene.start()
    asked = await said(scene, scene.operator, "/fleet deploy claw-2")
    reply = await answer(scene, asked)
    await scene.until(lambda: "queued" in reply.text)
    await scene.kill()
    scene.line.begin(0)
    del scene.discord.guild.messages[reply.id]
    await scene.start()
    await looked(scene, 2)
    await scene.clock.turn(60)
    assert scene.api.count("deploy") == 1


async def test_nobody_is_answered_who_would_not_be(scene: DiscordScene) -> None:
    stranger = scene.discord.person("stranger", bot=True)
    lobby = scene.discord.channel("lobby")
    content = f"<@{scene.app.bot.id}> /fleet status"
    await scene.discord.say(stranger, content)
    await scene.discord.say(scene.operator, content, webhook="1234567890")
    await scene.discord.say(scene.operator, content, lobby)
    await scene.discord.say(scene.operator, "hello")
    edited = await scene.discord.say(scene.operator, f"<@{scene.app.bot.id}> hello")
    edited.change({"content": content}, scene.discord.moment())
    await scene.start()
    await looked(scene)
    assert len(scene.channel()) == 5  # with the answer to the last ask
    assert len(scene.discord.guild.in_channel(lobby.id)) == 1


async def test_a_thread_is_looked_into_as_its_channel(scene: DiscordScene) -> None:
    thread = scene.discord.channel("about claw-2", scene.discord.fleet)
    content = f"<@{scene.app.bot.id}> /fleet help"
    asked = await scene.discord.say(scene.visitor, content, thread)
    await scene.start()
    there = scene.discord.guild.in_channel
    await scene.until(lambda: [one.reference for one in there(thread.id)][1:] == [asked.id])


@pytest.mark.parametrize("status", [502, 403])
async def test_a_channel_that_can_not_be_read_hides_no_other(
    scene: DiscordScene, status: int
) -> None:
    thread = scene.discord.channel("about claw-2", scene.discord.fleet)
    content = f"<@{scene.app.bot.id}> /fleet help"
    there = await scene.discord.say(scene.visitor, content, thread)
    asked = await said(scene, scene.visitor, "/fleet help")
    body = {"message": "Missing Access", "code": 50001}
    scene.discord.refuse_next("GET", f"{scene.discord.fleet.id}/messages$", status, body)
    await scene.start()
    in_thread = scene.discord.guild.in_channel
    await scene.until(lambda: in_thread(thread.id)[-1].reference == there.id)
    await scene.until(lambda: len(answers(scene, asked)) == (status == 502))


async def test_who_has_left_since_keeps_nobody_from_being_heard(scene: DiscordScene) -> None:
    left = await said(scene, scene.discord.person("leaver"), "/fleet help")
    asked = await said(scene, scene.visitor, "/fleet help")
    scene.discord.refuse_next("GET", "/members/", 404, {"message": "Unknown", "code": 10007})
    await scene.start()
    await answer(scene, asked)
    assert answers(scene, left) == []


async def test_one_that_can_not_be_told_keeps_no_other_from_it(scene: DiscordScene) -> None:
    await scene.start()
    await scene.clock.turn(120)
    scene.api.released.clear()
    first = await scene.discord.command(scene.app, scene.operator, "status")
    await scene.discord.until(lambda: first.message)
    second = await scene.discord.command(scene.app, scene.visitor, "status")
    await scene.discord.until(lambda: second.message)
    await scene.kill()
    scene.line.begin(0)
    scene.api.released.set()
    body = {"message": "Invalid Form Body", "code": 50035}
    scene.discord.refuse_next("POST", f"{scene.discord.fleet.id}/messages$", 400, body)
    await scene.start()
    await scene.until(lambda: pings(scene))
    assert [one.text for one in pings(scene)] == [f"<@{scene.visitor.id}> {RESTARTED}"]


async def test_an_answer_is_given_up_after_a_quarter_of_a_minute(scene: DiscordScene) -> None:
    """Till then the host that is replaced may still give it."""
    await killed_while_thinking(scene)
    begun = scene.clock.now()
    await scene.start()
    await scene.until(lambda: pings(scene), each=0.5)
    assert 15 <= scene.clock.now() - begun < 20


@pytest.mark.parametrize(("others", "found"), [(99, 1), (100, 0)])
async def test_the_newest_hundred_are_looked_through(
    scene: DiscordScene, others: int, found: int
) -> None:
    asked = await said(scene, scene.visitor, "/fleet help")
    for number in range(others):
        await scene.discord.say(scene.visitor, f"{number}")
    await scene.start()
    await looked(scene)
    await scene.until(lambda: len(answers(scene, asked)) == found)


@pytest.mark.parametrize(("channels", "looks"), [(18, 19), (25, 20)])
async def test_twenty_channels_are_looked_into_where_all_are_served(
    scene: DiscordScene, channels: int, looks: int
) -> None:
    for number in range(channels):
        scene.discord.channel(f"room-{number}")
    await scene.start(CLAWBOT_DISCORD_CHANNELS="")

    def read() -> int:
        return sum(path.endswith("/messages") for _, path in scene.discord.asked)

    await scene.until(lambda: read() >= looks)
    asked = await scene.discord.command(scene.app, scene.visitor, "help")
    await scene.replied(asked)
    assert read() == looks


async def test_a_session_that_was_lost_is_an_absence_too(scene: DiscordScene) -> None:
    await scene.start()
    await looked(scene)
    heard = await said(scene, scene.visitor, "/fleet help")
    await answer(scene, heard)
    scene.api.released.clear()
    slow = await scene.discord.command(scene.app, scene.operator, "status")
    await scene.discord.until(lambda: slow.message)
    (session,) = scene.discord.sessions
    scene.discord.sessions.clear()
    missed = await said(scene, scene.visitor, "/fleet help")
    await session.drop()
    loop = TurnedLoop()
    for _ in range(20):
        await loop.turn(0.5)  # the library waits for five seconds before it logs in again
        await scene.clock.turn(0.5)
    await answer(scene, missed)
    scene.api.released.set()
    assert "2 instances" in (await scene.replied(slow)).text
    assert (len(answers(scene, heard)), len(answers(scene, missed))) == (1, 1)
    assert not any(RESTARTED in one.text for one in scene.channel())
