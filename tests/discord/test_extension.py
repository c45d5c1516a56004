"""`/fleet` beside what a discord.py bot does already."""

import signal
import time
from collections.abc import AsyncIterator

import pytest

from sandbox.discord_api.guild import Message
from tests.clock import TurnedClock
from tests.discord.dialogue import said
from tests.discord.scene import DiscordScene
from tests.fleet_control.aws import FakeEc2
from tests.program import program, running

# A parent may have told its children to ignore Ctrl-C.
HERE = """
import signal

from sandbox.discord_api.address import pointed_at

signal.signal(signal.SIGINT, signal.default_int_handler)
with pointed_at({url!r}):
    exec({source!r})
"""
# What else a host bot may have: a command that breaks, and a word for that. It calls nobody, which
# the server here wants of every message.
OTHERS = """
bot.allowed_mentions = discord.AllowedMentions.none()

@bot.command()
async def fail(context):
    raise LookupError("nothing to be found")

@bot.event
async def on_command_error(context, error):
    await context.send(f"Sorry: {error.__cause__}")

"""


@pytest.fixture
async def scene(ec2: FakeEc2) -> AsyncIterator[DiscordScene]:
    """The extension takes the system's clock, so Discord has that hour too."""
    ec2.forget()
    async with DiscordScene(TurnedClock(time.time()), ec2) as scene:
        yield scene
    assert scene.discord.problems == []


async def test_the_page_s_program_beside_other_commands(scene: DiscordScene) -> None:
    run = "bot.run("
    source = program("discord.md")
    assert source.count(run) == 1
    source = HERE.format(url=scene.discord.url, source=source.replace(run, OTHERS + run))
    async with running(source, scene.environ("demo", scene.app)) as bot:
        await scene.until(lambda: "fleet" in scene.app.commands, each=0.01)
        for words in ("hello", "fail", "", "how are you?"):
            await said(scene, scene.visitor, words)
        mentioned = await said(scene, scene.visitor, "status")
        await scene.until(lambda: "2 instances" in str(texts(scene)), each=0.01)
        asked = await scene.discord.command(scene.app, scene.visitor, "status")
        status = await scene.replied(asked)
        # What is neither theirs nor ours is answered by nobody.
        await scene.until(lambda: len(texts(scene)) == 11, each=0.01)
        code, output, log = await bot.ended(signal.SIGINT)

    assert "2 instances" in shown(status)
    (answered,) = (one for one in scene.channel() if one.reference)
    assert answered.reference == mentioned.id
    assert {"Hello!", "Sorry: nothing to be found", "Sorry: None"} < set(texts(scene))
    assert (code, output) == (0, "")
    assert "Traceback" not in log
    assert scene.app.token not in log


async def test_what_the_settings_lack_ends_the_program_with_a_sentence(scene: DiscordScene) -> None:
    source = HERE.format(url=scene.discord.url, source=program("discord.md"))
    environ = scene.environ("demo", scene.app) | {
        "CLAWBOT_REGION": "",
        "CLAWBOT_CONTROL_TOKEN": "a b",
    }
    async with running(source, environ) as bot:
        _, log = await bot.process.communicate()

    last = log.decode().splitlines()[-1]
    assert bot.process.returncode == 1
    assert "CLAWBOT_REGION is not set, and /etc/clawdinator/region is not there" in last
    assert "CLAWBOT_CONTROL_TOKEN is wrong" in last
    assert "pydantic" not in log.decode()


def texts(scene: DiscordScene) -> list[str]:
    return [one.text for one in scene.channel()]


def shown(message: Message) -> str:
    return str(message.bodies[-1])
