"""Pictures for the README and docs/: `make pictures`.

A bot serves the sandbox's guild, then a group of its Telegram, before a whole sandbox; what it
sends there is drawn by Chromium.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from clawbot.bot import Bot, assemble
from clawbot.discord.run import run
from clawbot.settings import load
from docs.pictures import in_telegram, unasked
from docs.pictures.page import WIDTH, page
from fleet_control.clock import SystemClock
from sandbox.discord_api.address import pointed_at
from sandbox.discord_api.backend import Application
from sandbox.discord_api.guild import Member, Message
from sandbox.discord_api.server import DiscordApi
from sandbox.sandbox import Sandbox, SandboxOptions, open_sandbox

IDS = ("clawdinator-1", "clawdinator-2", "clawdinator-3", "clawdinator-babelfish")
BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")


def main() -> int:
    """1 with a sentence where there is no Chromium."""
    parser = argparse.ArgumentParser(description="Draw the pictures of the chats.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        print(f"No Chromium on PATH: install one of {', '.join(BROWSERS)}.", file=sys.stderr)  # noqa: T201  (the command's own output)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in staged().items():
        draw(browser, text, folder / f"{name}.png")
    return 0


def draw(browser: str, text: str, picture: Path) -> None:
    """A page as a picture, as high as it needs to be."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "page.html")
        measuring = "<script>document.title = document.documentElement.scrollHeight</script>"
        source.write_text(text + measuring)
        dom = _browse(browser, source, f"--window-size={WIDTH},100", "--dump-dom")
        found = re.search(r"<title>(\d+)</title>", dom)
        height = int(found[1]) if found else 600
        source.write_text(text)
        size = f"--window-size={WIDTH},{height}"
        _browse(browser, source, size, f"--screenshot={picture.resolve()}")


def _browse(browser: str, source: Path, *options: str) -> str:
    # A sandbox of its own needs rights that root in a container has not; the page is ours.
    fixed = ("--headless", "--no-sandbox", "--hide-scrollbars", "--force-device-scale-factor=2")
    done = subprocess.run(  # noqa: S603  (a browser on PATH)
        [browser, *fixed, *options, source.as_uri()], capture_output=True, text=True, check=True
    )
    return done.stdout


def staged() -> dict[str, str]:
    """The pages, by name, of a fleet of `IDS`."""
    with tempfile.TemporaryDirectory() as folder:
        registry = Path(folder, "instances.json")
        registry.write_text(json.dumps({id_: _entry(id_) for id_ in IDS}))
        return asyncio.run(pages(registry))


async def pages(registry: Path) -> dict[str, str]:
    """In Discord the question, a deploy in progress and the status meanwhile, and a rollback, by
    name; of both chats what stands once these have ended and the fleet is frozen, and what the
    fleet's channel is told."""
    options = replace(SandboxOptions(), registry=registry)
    async with open_sandbox(options) as sandbox, DiscordApi(SystemClock(), patience=120) as api:
        with pointed_at(api.url):
            app, person = api.application(), api.person("sam")
            async with _serving(sandbox, api, app, person) as bot:
                drawn = await _played(api, app, person)
                told = await unasked.announcement(sandbox, api, IDS[0], IDS[2])
                drawn["announcement"] = _page(api, told)
                drawn["frozen"] = await _frozen(api, app, person)
                drawn |= await in_telegram.pages(sandbox, IDS[3])
                drawn["watch"] = _page(api, await unasked.watched(sandbox, api, bot, IDS[3]))
        return drawn


def _entry(id_: str) -> dict[str, str]:
    return {
        "host": id_,
        "instanceType": "t3.large",
        "bootstrapPrefix": f"bootstrap/{id_}",
        "discordTokenSecret": f"{id_}-discord-token",
    }


async def _played(api: DiscordApi, app: Application, person: Member) -> dict[str, str]:
    # What the next one is expected to take is known by one that went before.
    before = await api.command(app, person, "deploy", target=IDS[3])
    await api.until(lambda: before.message and "done after" in before.message.text)
    reply = await _asked(api, app, person, "deploy", target="all")
    drawn = {"question": _page(api, reply, "sam used /fleet deploy")}
    await api.press(app, person, reply, reply.buttons["Deploy"])
    await api.until(lambda: reply.text.count("🟢") == 2 and "🔵" in reply.text)
    drawn["deploy"] = _page(api, reply, "sam used /fleet deploy")
    drawn["status"] = await _shown(api, app, person, "status")
    await api.until(lambda: "done after" in reply.text)
    reply = await _asked(api, app, person, "rollback", target=IDS[1])
    drawn["rollback"] = _page(api, reply, "sam used /fleet rollback")
    await api.press(app, person, reply, reply.buttons["Roll back"])
    await api.until(lambda: "done after" in reply.text)
    drawn["history"] = await _shown(api, app, person, "history")
    drawn["preflight"] = await _shown(api, app, person, "preflight")
    return drawn


async def _frozen(api: DiscordApi, app: Application, person: Member) -> str:
    await _shown(api, app, person, "freeze", duration="2h", reason="the week's backup runs")
    return await _shown(api, app, person, "status")


async def _asked(
    api: DiscordApi, app: Application, person: Member, sub: str, **given: Any
) -> Message:
    """The question that this command asks."""
    asked = await api.command(app, person, sub, **given)
    await api.until(lambda: asked.message and asked.message.buttons)
    assert asked.message is not None  # noqa: S101  (waited for)
    return asked.message


async def _shown(api: DiscordApi, app: Application, person: Member, sub: str, **given: Any) -> str:
    asked = await api.command(app, person, sub, **given)
    await api.until(lambda: asked.message and not asked.message.loading and _told(asked.message))
    assert asked.message is not None  # noqa: S101  (waited for)
    return _page(api, asked.message, f"{person.name} used /fleet {sub}")


def _told(message: Message) -> bool:
    """Whether it is not what is said first of a preflight, before all was looked at."""
    return "Looking at" not in message.text


def _page(api: DiscordApi, message: Message, asked: str = "") -> str:
    names = {id_: one.name for id_, one in api.guild.people.items()} | api.guild.roles
    return page([message], names, api.now(), asked)


@asynccontextmanager
async def _serving(
    sandbox: Sandbox, api: DiscordApi, app: Application, operator: Member
) -> AsyncIterator[Bot]:
    on_call = api.role("on-call")
    api.guild.mentionable.add(on_call)
    environ = sandbox.bot_environ() | {
        "CLAWBOT_DISCORD_TOKEN": app.token,
        "CLAWBOT_DISCORD_GUILD": api.guild.id,
        "CLAWBOT_OPERATORS": f"discord:{operator.id}",
        "CLAWBOT_DISCORD_FLEET_CHANNEL": api.fleet.id,
        "CLAWBOT_DISCORD_FLEET_CALLS": f"&{on_call}",
    }
    async with assemble(load(environ, Path(os.devnull)), SystemClock()) as bot:
        task = asyncio.create_task(run(bot, guild_ready_timeout=0.05))
        try:
            await api.until(lambda: "fleet" in app.commands)
            yield bot
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


if __name__ == "__main__":
    sys.exit(main())
