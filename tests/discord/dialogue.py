"""What people say in these tests, over and over."""

import json

from sandbox.discord_api.guild import Member, Message
from sandbox.discord_api.interaction import Interaction
from sandbox.discord_api.server import DiscordApi
from tests.clawbot.bots import registry
from tests.discord.ec2 import NEWEST, OLDER
from tests.discord.scene import DiscordScene

MOVES = f"claw-2: {OLDER} -> {NEWEST}"


async def deploying(scene: DiscordScene, target: str = "claw-2") -> tuple[Interaction, Message]:
    """An operator's deploy, once its run is known."""
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", target=target)
    reply = await scene.replied(asked)
    await scene.until(lambda: "queued" in reply.text)
    return asked, reply


def pings(scene: DiscordScene) -> list[Message]:
    return pings_in(scene.discord)


def pings_in(api: DiscordApi) -> list[Message]:
    channel = api.guild.in_channel(api.fleet.id)
    return [one for one in channel if "<@" in (one.body.get("content") or "")]


async def question(scene: DiscordScene, target: str = "all") -> tuple[Interaction, Message]:
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", target=target)
    reply = await scene.replied(asked)
    assert list(reply.buttons) == ["Deploy", "Leave it"]
    return asked, reply


async def whispered(scene: DiscordScene, pressed: Interaction) -> str:
    await scene.until(lambda: pressed.whispers)
    return pressed.whispers[0].text


def with_account(person: Member) -> str:
    """A registry by which that account speaks as claw-1."""
    entries = json.loads(registry("claw-1", "claw-2"))
    entries["claw-1"]["discordUserId"] = person.id
    return json.dumps(entries)


async def said(scene: DiscordScene, who: Member, words: str) -> Message:
    return await scene.discord.say(who, f"<@{scene.app.bot.id}> {words}")


async def answer(scene: DiscordScene, to: Message) -> Message:
    await scene.until(lambda: any(one.reference == to.id for one in scene.channel()))
    return next(one for one in scene.channel() if one.reference == to.id)
