"""What somebody has to mend is waited out: said once, noticed when it is mended, few logins."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import discord
import pytest
from discord.ext import commands
from discord.gateway import KeepAliveHandler

from clawbot.bot import Bot, assemble
from clawbot.discord.front import FleetCog
from clawbot.discord.guild import GuildWatch
from clawbot.discord.run import Logins, run
from clawbot.front import Front
from clawbot.readiness import FrontReadiness
from clawbot.serve import side_by_side
from clawbot.settings import load
from sandbox.discord_api.channel import Channel
from sandbox.discord_api.guild import EVERYONE
from tests.discord.scene import DiscordScene

OTHER = "99"
DAY_SECONDS = 86_400.0

Act = Callable[[DiscordScene], Awaitable[None]]


async def event(scene: DiscordScene, name: str, data: dict[str, object]) -> None:
    for session in scene.discord.sessions_of(scene.app):
        await session.dispatch(name, data)


async def thrown_out(scene: DiscordScene) -> None:
    await scene.discord.put_out(scene.app)


async def invited(scene: DiscordScene) -> None:
    await scene.discord.invite(scene.app)


async def hidden(scene: DiscordScene) -> None:
    await event(scene, "CHANNEL_DELETE", scene.discord.fleet.payload(scene.discord.guild.id))


async def shown(scene: DiscordScene) -> None:
    await event(scene, "CHANNEL_CREATE", scene.discord.fleet.payload(scene.discord.guild.id))


async def takes_embeds(scene: DiscordScene) -> None:
    await scene.discord.deny(scene.discord.fleet, 1 << 14)


async def gives_all(scene: DiscordScene) -> None:
    await scene.discord.deny(scene.discord.fleet, 0)


async def takes_history(scene: DiscordScene) -> None:
    await scene.discord.allow_everyone(EVERYONE & ~(1 << 16))


async def takes_all(scene: DiscordScene) -> None:
    await scene.discord.allow_everyone(0)


async def gives_history(scene: DiscordScene) -> None:
    await scene.discord.allow_everyone(EVERYONE)


async def _time_out(scene: DiscordScene, until: str | None) -> None:
    guild = scene.discord.guild
    (me,) = guild.payload(scene.app.bot)["members"]
    told = {**me, "guild_id": guild.id, "communication_disabled_until": until}
    await event(scene, "GUILD_MEMBER_UPDATE", told)


async def times_out(scene: DiscordScene) -> None:
    await _time_out(scene, "2999-01-01T00:00:00+00:00")


async def ends_timeout(scene: DiscordScene) -> None:
    await _time_out(scene, None)


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    said = [one.getMessage() for one in caplog.records]
    return [one for one in said if one.startswith("clawbot.front_down")]


@pytest.mark.parametrize(
    ("take", "give", "channels", "words"),
    [
        (takes_embeds, gives_all, True, "In #fleet I may not embed links"),
        (takes_history, gives_history, False, "In Fleet I may not read message history"),
        (takes_all, gives_history, False, "In Fleet I may not view channels: allow it"),
        (hidden, shown, True, "I see no channel"),
        (thrown_out, invited, True, "I am not in the guild"),
        (times_out, ends_timeout, True, "In Fleet I am timed out until 2999-01-01 00:00"),
        (times_out, ends_timeout, False, "In Fleet I am timed out until 2999-01-01 00:00"),
    ],
)
async def test_what_is_taken_while_it_serves_is_said_once_and_noticed_when_given_back(
    scene: DiscordScene,
    caplog: pytest.LogCaptureFixture,
    take: Act,
    give: Act,
    channels: bool,
    words: str,
) -> None:
    task = await scene.start(CLAWBOT_DISCORD_CHANNELS=scene.discord.fleet.id if channels else "")
    await scene.until(lambda: scene.told == ["READY=1"])
    await take(scene)
    await scene.until(lambda: len(scene.told) == 2)
    assert scene.told[1].startswith(f"STATUS=Discord: {words}")
    await scene.clock.turn(3600)
    await give(scene)
    await scene.until(lambda: len(scene.told) > 2, each=0.0)  # no time has to pass
    assert scene.told[2:] == ["STATUS="]
    assert len(complaints(caplog)) == 1
    assert not task.done()
    asked = await scene.discord.command(scene.app, scene.visitor, "help")
    assert "`/fleet status`" in (await scene.replied(asked)).text
    assert scene.discord.identified == 1


async def test_a_channel_that_is_made_later_is_served_by_the_same_login(
    scene: DiscordScene,
) -> None:
    scene.run("demo", scene.app, CLAWBOT_DISCORD_CHANNELS="98")
    await scene.until(lambda: scene.told)
    scene.discord.guild.channels["98"] = made = Channel("98", "later")
    await event(scene, "CHANNEL_CREATE", made.payload(scene.discord.guild.id))
    await scene.until(lambda: scene.told[1:] == ["READY=1\nSTATUS="])
    assert scene.discord.identified == 1


async def test_an_invitation_with_commands_is_noticed_within_five_minutes(
    scene: DiscordScene,
) -> None:
    """Discord tells nothing of it."""
    scene.app.may_command = False
    scene.run("demo", scene.app)
    await scene.until(lambda: scene.told)
    for _ in range(60):
        await scene.clock.asleep(1)
        await scene.clock.turn(60)
    calls = len(scene.discord.asked)
    await scene.clock.asleep(1)
    scene.app.may_command = True
    await scene.clock.turn(300)
    await scene.discord.until(lambda: "fleet" in scene.app.commands)
    assert calls < 30
    assert scene.discord.identified == 1


async def refused_intent(scene: DiscordScene) -> None:
    scene.discord.privileged = 1 << 9


async def no_commands(scene: DiscordScene) -> None:
    scene.app.may_command = False


async def nothing(_scene: DiscordScene) -> None:
    pass


@pytest.mark.parametrize(
    ("trouble", "environ", "logins"),
    [
        (refused_intent, {}, 30),
        (nothing, {"CLAWBOT_DISCORD_TOKEN": "MTIz.wrong.token"}, 0),
        (nothing, {"CLAWBOT_DISCORD_GUILD": OTHER}, 1),
        (nothing, {"CLAWBOT_DISCORD_CHANNELS": "98"}, 1),
        (no_commands, {}, 1),
    ],
)
async def test_a_day_of_trouble_is_said_once_and_takes_few_logins(
    scene: DiscordScene,
    caplog: pytest.LogCaptureFixture,
    trouble: Act,
    environ: dict[str, str],
    logins: int,
) -> None:
    await trouble(scene)
    settings = scene.environ("demo", scene.app) | environ
    kept = Logins()

    async def served(bot: Bot, told: FrontReadiness) -> None:
        await run(bot, told, kept, guild_ready_timeout=0.05)

    async with assemble(load(settings), scene.clock) as bot, asyncio.timeout(60):
        serving = asyncio.create_task(side_by_side(bot, [Front("Discord", served)]))
        while scene.clock.monotonic() < DAY_SECONDS:
            await scene.clock.asleep(1)
            await scene.clock.turn(300)
        assert not serving.done()
        serving.cancel()
        await asyncio.wait({serving})
    assert scene.discord.identified <= logins
    assert len(complaints(caplog)) == 1


async def test_sessions_that_discord_ends_at_once_are_begun_twelve_times_an_hour(
    scene: DiscordScene,
) -> None:
    scene.discord.holds_sessions = False
    settings, kept = scene.environ("demo", scene.app), Logins()

    async def served(bot: Bot, told: FrontReadiness) -> None:
        await run(bot, told, kept, guild_ready_timeout=0.05)

    async with assemble(load(settings), scene.clock) as bot, asyncio.timeout(60):
        serving = asyncio.create_task(side_by_side(bot, [Front("Discord", served)]))
        for _ in range(12):
            await scene.clock.asleep(1)
            await scene.clock.turn(5)
        assert scene.discord.identified == 12
        while scene.clock.monotonic() < 3590:
            await scene.clock.asleep(1)
            await scene.clock.turn(5)
        assert scene.discord.identified == 12
        scene.discord.holds_sessions = True
        while not scene.discord.sessions:
            await scene.clock.asleep(1)
            await scene.clock.turn(60)
        serving.cancel()
        await asyncio.wait({serving})
    assert scene.discord.identified == 13
    keeping = [one for one in threading.enumerate() if isinstance(one, KeepAliveHandler)]
    for thread in keeping:
        thread.join(1.0)
    assert not any(thread.is_alive() for thread in keeping)


async def test_a_guild_that_can_not_be_served_is_looked_at_every_minute(
    scene: DiscordScene,
) -> None:
    """For what Discord did not tell, or the library did not hear."""
    said: list[str] = []
    told = FrontReadiness(hears=lambda _: None, faulty=said.append, lacks=said.append)
    settings = load(scene.environ("demo", scene.app))

    async def register(_guild: discord.Guild) -> None:
        raise AssertionError("there is no guild")

    client = discord.Client(intents=discord.Intents(guilds=True))
    watch = GuildWatch(client, settings, scene.clock, told, lambda: None, register)
    looking = asyncio.create_task(watch.run())
    for looks in (1, 2, 3):
        await scene.clock.asleep(1)
        assert len(said) == looks
        await scene.clock.turn(59)
        assert len(said) == looks
        await scene.clock.turn(1)
    looking.cancel()


async def test_an_answer_of_no_form_of_discord_s_ends_no_look(
    scene: DiscordScene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.discord.refuse_next("GET", "/commands", 200, {"odd": 1})
    scene.run("demo", scene.app)
    await scene.until(lambda: "fleet" in scene.app.commands)
    assert caplog.text.count("discord.guild_unseen") == 1


async def test_a_host_bot_is_not_closed_by_our_trouble(
    scene: DiscordScene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.discord.fleet.denied = 1 << 14
    intents = discord.Intents(guilds=True, guild_messages=True)
    host = commands.Bot("!", intents=intents, guild_ready_timeout=0.05)
    async with assemble(load(scene.environ("demo", scene.app)), scene.clock) as bot, host:
        await host.add_cog(FleetCog(host, bot))
        serving = scene.serve(host.start(scene.app.token))
        await scene.until(lambda: complaints(caplog))
        await gives_all(scene)
        await scene.until(lambda: "fleet" in scene.app.commands)
        assert not host.is_closed()
        await host.close()
        await serving
