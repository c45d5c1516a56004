"""What keeps Discord from being served is one sentence that says what to do."""

import asyncio
import os
import sys
import time
from pathlib import Path

import discord
import pytest
from discord.ext import commands

from clawbot.discord.needed import NEEDED
from clawbot.discord.run import _until_cancelled
from clawbot.front import Unserved
from fleet_control.error import SettingsError
from sandbox.discord_api.address import pointed_at
from sandbox.discord_api.backend import Application
from sandbox.discord_api.gateway import NOT_AUTHENTICATED
from tests.clock import TurnedClock, TurnedLoop
from tests.discord.scene import DiscordScene
from tests.fleet_control.aws import FakeEc2
from tests.recording_proxy import recording

PAGE = Path(__file__).parents[2] / "docs/discord.md"


async def trouble(scene: DiscordScene, app: Application | None = None, **environ: str) -> str:
    """What is said of a bot that can't serve; it waits, or may be tried again."""
    task = scene.run("demo", app or scene.app, **environ)
    await scene.until(lambda: task.done() or scene.told)
    if task.done():
        with pytest.raises(Unserved) as raised:
            await task
        return str(raised.value)
    sentence = scene.told[-1].removeprefix("STATUS=Discord: ")
    assert scene.told == [f"STATUS=Discord: {sentence}"]
    assert "\n" not in sentence
    return sentence


async def test_a_wrong_token(scene: DiscordScene) -> None:
    said = await trouble(scene, CLAWBOT_DISCORD_TOKEN="MTIz.wrong.token")
    assert said.startswith("Discord does not know this token: put a new one in CLAWBOT_DISCORD_TOK")
    assert "MTIz" not in said


async def test_a_guild_it_is_not_in(scene: DiscordScene) -> None:
    said = await trouble(scene, CLAWBOT_DISCORD_GUILD="99")
    assert said.startswith("I am not in the guild 99: check CLAWBOT_DISCORD_GUILD, or invite me by")
    assert f"client_id={scene.app.bot.id}" in said
    assert "scope=bot+applications.commands" in said
    invited = f"permissions={NEEDED.value}"
    assert invited in said
    assert invited in PAGE.read_text("utf-8")


async def test_a_channel_that_is_not_there(scene: DiscordScene) -> None:
    said = await trouble(scene, CLAWBOT_DISCORD_CHANNELS="98")
    assert said.startswith("I see no channel 98 in Fleet: check CLAWBOT_DISCORD_CHANNELS")


async def test_a_permission_that_is_missing(scene: DiscordScene) -> None:
    scene.discord.fleet.denied = 1 << 11 | 1 << 14
    said = await trouble(scene)
    assert said == (
        "In #fleet I may not send messages, embed links: allow it in the channel's settings."
    )


async def test_a_permission_that_is_missing_in_the_whole_guild(scene: DiscordScene) -> None:
    scene.discord.guild.everyone &= ~(1 << 16)
    said = await trouble(scene, CLAWBOT_DISCORD_CHANNELS="")
    assert said == "In Fleet I may not read message history: allow it to my role there."


async def test_a_channel_whose_threads_are_closed_to_it(scene: DiscordScene) -> None:
    scene.discord.fleet.denied = 1 << 38
    said = await trouble(scene)
    assert said.startswith("In #fleet I may not send messages in threads: allow it")


async def test_invited_without_commands(scene: DiscordScene) -> None:
    scene.app.may_command = False
    assert (await trouble(scene)).startswith("Discord lets me make no commands there: invite me")


async def test_a_gateway_that_refuses_an_intent(scene: DiscordScene) -> None:
    """Ours asks for none that could be refused; the gateway's word is still understood."""
    scene.discord.privileged = 1 << 9
    said = await trouble(scene)
    assert said.startswith("Discord refuses an intent: switch it on in the Developer Portal")


async def test_a_token_that_was_reset_meanwhile(scene: DiscordScene) -> None:
    task = await scene.start()
    (session,) = scene.discord.sessions
    await session.drop(NOT_AUTHENTICATED)
    await scene.until(task.done)
    with pytest.raises(Unserved, match="Discord does not know this token"):
        await task


async def test_a_discord_that_is_away_may_come_back(scene: DiscordScene) -> None:
    """So the trouble has a cause, and is not the end."""
    await scene.discord.stop()
    task = scene.run("demo", scene.app)
    await scene.until(task.done)
    with pytest.raises(Unserved, match="Discord can't be reached") as raised:
        await task
    assert raised.value.__cause__ is not None


async def test_a_gateway_that_hangs_up_before_a_first_session_may_come_back(
    scene: DiscordScene,
) -> None:
    """The library breaks then: it looks for the session that it never had."""
    scene.discord.greets = False
    task = scene.run("demo", scene.app)
    await scene.until(task.done)
    with pytest.raises(Unserved, match="Discord can't be reached") as raised:
        await task
    assert raised.value.__cause__ is not None


async def test_a_guild_that_comes_late_is_waited_for(scene: DiscordScene) -> None:
    """Nothing true can be said of a guild that Discord has not brought yet."""
    scene.discord.away = True
    task = scene.run("demo", scene.app)
    await scene.until(lambda: scene.clock.sleeping)
    assert not scene.app.commands
    await scene.discord.come_back()
    await scene.discord.until(lambda: "fleet" in scene.app.commands)  # no time has to pass
    assert not task.done()


async def test_of_two_programs_on_one_token_the_other_may_say_it_is_elsewhere(
    scene: DiscordScene, caplog: pytest.LogCaptureFixture
) -> None:
    lobby = scene.discord.channel("lobby")
    await scene.start()
    taken = {"message": "Interaction has already been acknowledged.", "code": 40060}
    refused = scene.discord.refuse_next("POST", "callback", 400, taken)
    await scene.discord.command(scene.app, scene.operator, "deploy", lobby, target="all")
    await scene.until(lambda: refused not in scene.discord.injected)
    await scene.replied(await scene.discord.command(scene.app, scene.visitor, "help"))
    assert caplog.text.count("Another program answered that before me with my Discord token") == 1
    assert "Traceback" not in caplog.text


async def test_it_is_an_extension_of_any_bot(ec2: FakeEc2, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its clock is the system's, so Discord's is too."""
    async with DiscordScene(TurnedClock(time.time()), ec2) as scene:
        for name, value in scene.environ("demo", scene.app).items():
            monkeypatch.setenv(name, value)
        intents = discord.Intents(guilds=True, guild_messages=True)
        host = commands.Bot("!", intents=intents, guild_ready_timeout=0.05)
        await host.load_extension("clawbot.discord")  # before there is anything to be ready
        async with host:
            serving = scene.serve(host.start(scene.app.token))
            await scene.until(lambda: "fleet" in scene.app.commands)
            asked = await scene.discord.command(scene.app, scene.visitor, "help")
            assert "`/fleet status`" in (await scene.replied(asked)).text
            await host.reload_extension("clawbot.discord")
            asked = await scene.discord.command(scene.app, scene.visitor, "status")
            reply = await scene.replied(asked)
            pressed = await scene.discord.press(
                scene.app, scene.visitor, reply, reply.buttons["Refresh"]
            )
            await scene.until(lambda: len(reply.bodies) == 3)
            assert pressed.answers == 1
            await host.unload_extension("clawbot.discord")
            assert host.cogs == {}
            await host.close()
            await serving


async def command(scene: DiscordScene, **environ: str) -> asyncio.subprocess.Process:
    """`clawbot run` in a process of its own."""
    program = (
        "import sys; from clawbot.cli import main; "
        "from sandbox.discord_api.address import pointed_at\n"
        f"with pointed_at({scene.discord.url!r}): sys.exit(main(['run']))"
    )
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-c", program),
        env={**os.environ, **scene.environ("demo", scene.app), **environ},
        stderr=asyncio.subprocess.PIPE,
    )


async def test_the_command_waits_with_a_sentence_and_no_trace(scene: DiscordScene) -> None:
    process = await command(scene, CLAWBOT_DISCORD_TOKEN="MTIz.wrong.token")
    assert process.stderr is not None
    said = ""
    async with asyncio.timeout(20):
        while "Discord does not know this token" not in said:
            said += (await process.stderr.readline()).decode()
    process.terminate()
    said += (await process.communicate())[1].decode()
    assert process.returncode == 0
    assert "Traceback" not in said
    assert "MTIz" not in said


async def test_the_command_ends_at_once_where_no_wait_can_mend_it(scene: DiscordScene) -> None:
    process = await command(scene, CLAWBOT_DISCORD_GUILD="")
    async with asyncio.timeout(20):
        said = (await process.communicate())[1].decode()
    assert process.returncode == 1
    assert "CLAWBOT_DISCORD_GUILD is missing" in said.splitlines()[-1]
    assert scene.discord.asked == []


async def test_the_command_ends_when_it_is_told_to(scene: DiscordScene) -> None:
    process = await command(scene)
    await scene.until(lambda: "fleet" in scene.app.commands)
    process.terminate()
    _, said = await process.communicate()
    assert process.returncode == 0
    assert "Traceback" not in said.decode()
    assert scene.app.token not in said.decode()


@pytest.mark.parametrize("token", ["MTIz.two\nMTIz.lines", "MTIz wörd"])
async def test_what_can_be_no_token_is_known_before_discord_is_asked(
    scene: DiscordScene, token: str
) -> None:
    with pytest.raises(SettingsError, match="CLAWBOT_DISCORD_TOKEN is wrong") as raised:
        await scene.run("demo", scene.app, CLAWBOT_DISCORD_TOKEN=token)
    assert "MTIz" not in str(raised.value)


async def test_a_stop_that_the_library_loses_comes_again_after_a_second() -> None:
    loop = TurnedLoop()
    losses: list[float] = []

    async def serving() -> None:
        while len(losses) < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                losses.append(asyncio.get_running_loop().time())

    stopped = asyncio.create_task(_until_cancelled(serving()))
    await asyncio.sleep(0)
    stopped.cancel()
    await loop.turn(0.8)
    assert len(losses) == 1
    await loop.turn(0.4)
    assert len(losses) == 2
    with pytest.raises(asyncio.CancelledError):
        await stopped


async def test_behind_a_proxy_it_is_asked_for_discord(
    scene: DiscordScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    with recording() as proxy, pointed_at("https://discord.example"):
        proxy.is_set(monkeypatch)

        said = await trouble(scene)

    assert said.startswith("Discord can't be reached")
    assert proxy.asked == ["CONNECT discord.example:443"]
