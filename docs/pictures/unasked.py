"""What the bot says in Discord's fleet channel without being asked, as messages to draw."""

import asyncio
from typing import Any

import boto3
import discord
from discord.ext import commands

from clawbot.bot import Bot
from clawbot.discord.drawing import DiscordDrawing
from clawbot.discord.fleet_channel import DiscordFleetChannel
from clawbot.replies import WatchReport
from clawbot.seal import Seal
from fleet_control import watch
from fleet_control.cli import main
from fleet_control.clock import SystemClock
from fleet_control.finding import Finding
from sandbox.discord_api.guild import Message
from sandbox.discord_api.server import DiscordApi
from sandbox.principal import REGION
from sandbox.sandbox import Sandbox


async def announcement(sandbox: Sandbox, api: DiscordApi, agent: str, target: str) -> Message:
    """How the channel is told of an agent's deploy, once it is over."""
    environ = {
        "FLEET_CONTROL_ROOT": str(sandbox.folder),
        "FLEET_CONTROL_INSTANCE": agent,
        "FLEET_CONTROL_API_URL": sandbox.control_api_url,
        "FLEET_CONTROL_REGION": REGION,
        "FLEET_CONTROL_TOKEN": sandbox.token,
        "FLEET_CONTROL_AWS_ACCESS_KEY_ID": sandbox.seeded.agents[agent].access_key,
        "FLEET_CONTROL_AWS_SECRET_ACCESS_KEY": sandbox.seeded.agents[agent].secret_key,
        "FLEET_CONTROL_EC2_URL": sandbox.aws_url,
    }
    await asyncio.to_thread(main, ["deploy", target], environ, SystemClock())

    def told() -> list[Message]:
        return [one for one in api.guild.in_channel(api.fleet.id) if f"Deploy {target}" in one.text]

    await api.until(lambda: any("done after" in one.text for one in told()))
    return told()[-1]


async def watched(sandbox: Sandbox, api: DiscordApi, bot: Bot, gone: str) -> Message:
    """How the channel is told of a host that somebody ended.

    A watch tells so after five minutes; this reads the fleet once, and says what it found.
    """
    found = await ended(sandbox, bot, gone)
    settings, clock = bot.settings, SystemClock()
    guild, channel = settings.discord_guild or 0, settings.discord_fleet_channel or 0
    seal = Seal(settings.aws_secret_access_key.get_secret_value())
    token = settings.discord_token.get_secret_value() if settings.discord_token else ""
    client = commands.Bot(commands.when_mentioned, intents=discord.Intents(guilds=True))
    async with client:
        await client.login(token)
        drawing = DiscordDrawing(seal, clock, settings.bot, guild)
        there = DiscordFleetChannel(
            client, drawing, clock, guild, channel, settings.discord_fleet_calls
        )
        report = WatchReport(wrong=found, calls=there.calls, taken=clock.now())
        await there.message().show(report, 60.0)
    return api.guild.in_channel(api.fleet.id)[-1]


async def ended(sandbox: Sandbox, bot: Bot, gone: str) -> tuple[Finding, ...]:
    """What is wrong with the fleet once somebody has ended that host."""
    await asyncio.to_thread(_end, sandbox, gone)
    found: tuple[Finding, ...] = ()
    while not found:  # EC2 tells nobody
        await asyncio.sleep(1)
        findings = watch.findings(await bot.fleet.hosts())
        found = tuple(one for one in findings if one.of == gone)
    return found


def _end(sandbox: Sandbox, name: str) -> None:
    key = sandbox.seeded.deployer
    ec2: Any = boto3.client(
        "ec2",
        region_name=REGION,
        aws_access_key_id=key.access_key,
        aws_secret_access_key=key.secret_key,
        endpoint_url=sandbox.aws_url,
    )
    named = [{"Name": "tag:Name", "Values": [name]}]
    found = ec2.describe_instances(Filters=named)["Reservations"]
    ids = [one["InstanceId"] for each in found for one in each["Instances"]]
    ec2.terminate_instances(InstanceIds=ids)
    ec2.close()
