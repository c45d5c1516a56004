"""What people say in these tests, over and over."""

from clawbot.sandbox.discord_api.guild import Message
from clawbot.sandbox.discord_api.interaction import Interaction
from clawbot.sandbox.discord_api.server import DiscordApi
from tests.discord.ec2 import NEWEST, OLDER
from tests.discord.scene import Scene

MOVES = f"claw-2: {OLDER} -> {NEWEST}"


async def deploying(scene: Scene, target: str = "claw-2") -> tuple[Interaction, Message]:
    """An operator's deploy, once its run is known."""
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", target=target)
    reply = await scene.replied(asked)
    await scene.until(lambda: "queued" in reply.text)
    return asked, reply


def pings(scene: Scene) -> list[Message]:
    return pings_in(scene.discord)


def pings_in(api: DiscordApi) -> list[Message]:
    channel = api.guild.in_channel(api.fleet.id)
    return [one for one in channel if "<@" in (one.body.get("content") or "")]


async def question(scene: Scene, target: str = "all") -> tuple[Interaction, Message]:
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", target=target)
    reply = await scene.replied(asked)
    assert list(reply.buttons) == ["Deploy", "Leave it"]
    return asked, reply


async def whispered(scene: Scene, pressed: Interaction) -> str:
    await scene.until(lambda: pressed.whispers)
    return pressed.whispers[0].text
