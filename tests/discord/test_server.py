"""The guilds on loopback refuse and leave out what Discord does."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import aiohttp
import discord
import pytest

from sandbox.discord_api.address import pointed_at
from sandbox.discord_api.channel import SEND_MESSAGES, VIEW_CHANNEL
from sandbox.discord_api.payload import Callback
from sandbox.discord_api.server import DiscordApi
from tests.clock import TurnedClock
from tests.discord.dialogue import answer, said
from tests.discord.scene import DiscordScene


@pytest.fixture
async def api() -> AsyncIterator[DiscordApi]:
    async with DiscordApi(TurnedClock()) as one:
        with pointed_at(one.url):
            yield one


@pytest.fixture
async def client(api: DiscordApi) -> AsyncIterator[discord.Client]:
    """A client of discord.py's that has logged in and sees the guilds."""
    intents = discord.Intents(guilds=True, guild_messages=True)
    one = discord.Client(
        intents=intents,
        allowed_mentions=discord.AllowedMentions.none(),
        guild_ready_timeout=0.05,
        max_ratelimit_timeout=30,
    )
    async with one:
        serving = asyncio.create_task(one.start(api.application().token))
        async with asyncio.timeout(20):
            await one.wait_for("ready")
        assert len(one.guilds) == 2
        yield one
        serving.cancel()


def fleet(api: DiscordApi, client: discord.Client) -> discord.PartialMessageable:
    return client.get_partial_messageable(int(api.fleet.id))


async def told(client: discord.Client, event: str, doing: Coroutine[Any, Any, None]) -> None:
    """Do it, and return once the client has heard of it."""
    async with asyncio.timeout(20):
        heard = asyncio.ensure_future(client.wait_for(event))
        await asyncio.gather(heard, doing)


async def code(doing: Any) -> int:
    with pytest.raises(discord.HTTPException) as refused:
        await doing
    return refused.value.code


async def test_a_client_that_reads_the_limits_is_never_refused(
    api: DiscordApi, client: discord.Client
) -> None:
    await asyncio.gather(*(fleet(api, client).send("x") for _ in range(12)))
    assert (api.limits.limit, api.limits.refused) == (10, 0)


async def test_one_that_does_not_is(api: DiscordApi) -> None:
    api.limits.seconds = 60
    headers = {"Authorization": f"Bot {api.application().token}"}
    url = f"{api.url}/api/v10/channels/{api.fleet.id}/messages"
    async with aiohttp.ClientSession(headers=headers) as session:
        answers = [await session.get(url) for _ in range(11)]
        other = await session.get(url.replace(api.fleet.id, api.lobby.id))
    assert [one.status for one in answers] == [200] * 10 + [429]
    assert other.status == 200
    last = answers[-1]
    assert last.headers["X-RateLimit-Scope"] == "user"
    assert last.headers["X-RateLimit-Remaining"] == "0"
    body = await last.json()
    assert 59 < body["retry_after"] <= 60
    assert body["global"] is False


async def test_a_bucket_can_be_used_up_and_filled(api: DiscordApi, client: discord.Client) -> None:
    api.limits.use_up("POST", "/messages", 3600)
    with pytest.raises(discord.RateLimited):
        await fleet(api, client).send("x")
    api.limits.refill()
    await fleet(api, client).send("x")


async def test_a_thread_that_is_archived_takes_no_edit_but_is_opened_by_a_message(
    api: DiscordApi, client: discord.Client
) -> None:
    thread = api.channel("about", api.fleet)
    there = client.get_partial_messageable(int(thread.id))
    sent = await there.send("x")
    await api.archive(thread)
    assert await code(sent.edit(content="y")) == 50083
    await there.send("again")
    await sent.edit(content="y")
    await api.archive(thread, locked=True)
    assert await code(there.send("again")) == 50083


async def test_what_is_forbidden_or_gone_has_its_own_code(
    api: DiscordApi, client: discord.Client
) -> None:
    sent = await fleet(api, client).send("x")
    await api.deny(api.fleet, SEND_MESSAGES)
    assert await code(fleet(api, client).send("x")) == 50013
    await sent.edit(content="y")
    await api.deny(api.fleet, VIEW_CHANNEL)
    assert await code(sent.edit(content="z")) == 50001
    await api.deny(api.fleet, 0)
    await sent.edit(content="z")
    await api.allow_everyone(api.guild.everyone & ~SEND_MESSAGES)
    assert await code(fleet(api, client).send("x")) == 50013
    await api.delete(api.fleet)
    assert await code(sent.edit(content="z")) == 10003


async def test_what_changes_is_told(api: DiscordApi, client: discord.Client) -> None:
    guild = client.get_guild(int(api.guild.id))
    assert guild is not None
    channel = guild.get_channel(int(api.fleet.id))
    assert channel is not None
    assert channel.permissions_for(guild.me).send_messages
    await told(client, "guild_channel_update", api.deny(api.fleet, SEND_MESSAGES))
    assert not channel.permissions_for(guild.me).send_messages
    await told(client, "guild_role_update", api.allow_everyone(0))
    assert not guild.me.guild_permissions.embed_links
    await told(client, "guild_channel_delete", api.delete(api.fleet))
    assert not guild.get_channel(int(api.fleet.id))


async def test_a_bot_that_is_put_out_sees_nothing_until_it_is_invited(
    api: DiscordApi, client: discord.Client
) -> None:
    (app,) = api.applications.values()
    await told(client, "guild_remove", api.put_out(app))
    assert [one.name for one in client.guilds] == ["Elsewhere"]
    assert await code(fleet(api, client).send("x")) == 50001
    await told(client, "guild_join", api.invite(app))
    await fleet(api, client).send("x")


async def test_components_come_back_numbered(api: DiscordApi, client: discord.Client) -> None:
    view = discord.ui.View(timeout=None)
    for label in "ab":
        view.add_item(discord.ui.Button[Any](label=label, custom_id=label))
    sent = await fleet(api, client).send("x", view=view)
    (row,) = sent.components
    assert isinstance(row, discord.ActionRow)
    assert [row.id, *(one.id for one in row.children)] == [1, 2, 3]


async def test_the_bot_needs_nothing_that_discord_may_leave_out(scene: DiscordScene) -> None:
    scene.discord.sparse = True
    await scene.start()
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", target="all")
    reply = await scene.replied(asked)
    await scene.discord.press(scene.app, scene.operator, reply, reply.buttons["Deploy"])
    await scene.until(lambda: "queued" in reply.text)
    mention = await answer(scene, await said(scene, scene.operator, "/fleet status"))
    assert "claw-2" in mention.text


@pytest.mark.parametrize("tells", [Callback.WITHOUT_MESSAGE, Callback.NOTHING])
async def test_a_first_answer_can_be_taken_without_a_word(
    api: DiscordApi, client: discord.Client, tells: Callback
) -> None:
    api.callback = tells
    (app,) = api.applications.values()
    app.commands["fleet"] = {"id": "1"}
    asked = await api.command(app, api.person("sam"), "help")
    url = f"{api.url}/api/v10/interactions/{asked.id}/{asked.token}/callback?with_response=true"
    async with aiohttp.ClientSession() as session:
        taken = await session.post(url, json={"type": 5})
        told = await taken.text()
    assert asked.message is not None
    assert taken.status == (204 if tells is Callback.NOTHING else 200)
    assert asked.message.id not in told
