"""Whether the bot can serve its guild, and if not, what to do about it in a sentence."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC

import discord

from clawbot.discord.fleet_place import look_into_fleet
from clawbot.discord.needed import NEEDED, lacking
from clawbot.front import BadSettings, Unserved
from clawbot.patience import WORK_AGAIN
from clawbot.readiness import FrontReadiness
from clawbot.settings import PREFIX, Settings
from fleet_control.clock import Clock

# Between two looks at a guild that can't be served; Discord is asked for nothing but a channel of
# the fleet that it did not tell of. It tells of a change by itself, but not that a timeout is over,
# nor what got lost.
LOOK_SECONDS = 60.0
# What may give us the guild, or take it.
CHANGES = (
    *("on_ready", "on_resumed", "on_guild_join", "on_guild_remove", "on_guild_update"),
    *("on_guild_available", "on_guild_unavailable", "on_member_update"),
    *("on_guild_role_create", "on_guild_role_update", "on_guild_role_delete"),
    *("on_guild_channel_create", "on_guild_channel_update", "on_guild_channel_delete"),
    *("on_thread_create", "on_thread_join", "on_thread_update", "on_thread_remove"),
    "on_thread_delete",
)

GUILD_MISSING = f"{PREFIX}DISCORD_GUILD is missing: the id of the guild to serve."
SCOPES = ("bot", "applications.commands")

log = logging.getLogger(__name__)


def invitation(client: discord.Client) -> str:
    """The link by which an administrator invites the bot with all it needs, and no more."""
    return discord.utils.oauth_url(client.application_id or 0, permissions=NEEDED, scopes=SCOPES)


class GuildWatch:
    """Looks at the guild when something changed, and for as long as it can't be served.

    `serve` is called once, when it first can be. `register` puts our command there, each time it
    can be served again; Unserved where Discord does not take it.
    """

    def __init__(
        self,
        client: discord.Client,
        settings: Settings,
        clock: Clock,
        told: FrontReadiness,
        serve: Callable[[], None],
        register: Callable[[discord.Guild], Awaitable[object]],
    ) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock
        self._told = told
        self._serve = serve
        self._register = register
        self._changed = asyncio.Event()
        self._begun = self._registered = False
        self._pauses = WORK_AGAIN.pauses()

    def look_again(self) -> None:
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._changed.clear()
            try:
                seconds = await self._look()
            except Exception:
                log.exception("discord.guild_unseen")
                seconds = LOOK_SECONDS
            await self._pause(seconds)

    async def _look(self) -> float | None:
        """Seconds to the next look; None where only a change is worth one."""
        try:
            guild = look(self._client, self._settings)
            if not guild.unavailable:
                await look_into_fleet(self._client, self._settings, guild)
        except Unserved as trouble:
            self._registered = False
            self._told.faulty(str(trouble))
            return LOOK_SECONDS
        if guild.unavailable:
            log.warning("discord.guild_away guild=%s again_in=%s", guild.id, LOOK_SECONDS)
            self._told.hears(False)
            return LOOK_SECONDS
        if not self._begun:
            self._begun = True
            self._serve()
        if not self._registered:
            try:
                await self._register(guild)
            except Unserved as trouble:
                self._told.faulty(str(trouble))
                return next(self._pauses)
            self._registered, self._pauses = True, WORK_AGAIN.pauses()
            log.info("discord.serving guild=%s bot=%s", guild.id, self._settings.bot)
        self._told.hears(True)
        return None

    async def _pause(self, seconds: float | None) -> None:
        waits: list[asyncio.Future[object]] = [asyncio.ensure_future(self._changed.wait())]
        if seconds is not None:
            waits.append(asyncio.ensure_future(self._clock.sleep(seconds)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def look(client: discord.Client, settings: Settings) -> discord.Guild:
    """The guild to serve, as far as it is there; Unserved where something is missing."""
    if settings.discord_guild is None:
        raise BadSettings(GUILD_MISSING)
    guild = client.get_guild(settings.discord_guild)
    if guild is None:
        raise Unserved(
            f"I am not in the guild {settings.discord_guild}: check {PREFIX}DISCORD_GUILD, "
            f"or invite me by {invitation(client)}"
        )
    if not (client.intents.guilds and client.intents.guild_messages):
        raise Unserved("My client needs the intents `guilds` and `guild_messages`: switch them on.")
    if guild.unavailable:
        return guild
    if guild.me.timed_out_until and guild.me.is_timed_out():
        until = guild.me.timed_out_until.astimezone(UTC)
        raise Unserved(
            f"In {guild.name} I am timed out until {until:%Y-%m-%d %H:%M} UTC: remove my timeout "
            "there, or wait."
        )
    for channel in settings.discord_channels:
        _look_into(guild, channel)
    lacks = lacking(guild.me.guild_permissions, "channels")
    if lacks and not settings.discord_channels:
        raise Unserved(f"In {guild.name} I may not {lacks}: allow it to my role there.")
    return guild


def _look_into(guild: discord.Guild, id_: int) -> None:
    channel = guild.get_channel_or_thread(id_)
    if channel is None:
        raise Unserved(
            f"I see no channel {id_} in {guild.name}: check {PREFIX}DISCORD_CHANNELS, "
            "or let me view it."
        )
    lacks = lacking(channel.permissions_for(guild.me), "the channel")
    if lacks:
        raise Unserved(f"In #{channel.name} I may not {lacks}: allow it in the channel's settings.")
