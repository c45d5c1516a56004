"""A discord.py bot of our own, for where there is none to extend."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Coroutine
from typing import Any

import aiohttp
import discord
from discord.ext import commands
from discord.gateway import KeepAliveHandler

from clawbot.bot import Bot
from clawbot.discord.fleet_place import fleet_place
from clawbot.discord.front import FleetCog
from clawbot.discord.guild import GUILD_MISSING
from clawbot.front import BadSettings, Unserved
from clawbot.readiness import FrontReadiness, unwatched
from clawbot.settings import PREFIX
from fleet_control.proxy import proxy
from fleet_control.skew import by_certificate

log = logging.getLogger(__name__)


NO_TOKEN = f"{PREFIX}DISCORD_TOKEN is missing: the bot's token from Discord."
WRONG_TOKEN = (
    f"Discord does not know this token: put a new one in {PREFIX}DISCORD_TOKEN "
    "(Developer Portal, Bot, Reset Token)."
)
REFUSED_INTENT = (
    "Discord refuses an intent: switch it on in the Developer Portal "
    "(Bot, Privileged Gateway Intents)."
)
STOP_AGAIN_SECONDS = 1.0
# As the library itself waits before it logs in anew.
LOGIN_AGAIN_SECONDS = 5.0
# Discord resets the token of whoever logs in a thousand times in a day.
LOGINS_AN_HOUR = 12
HOUR_SECONDS = 3600.0
TOO_MANY_LOGINS = (
    f"Discord ended {LOGINS_AN_HOUR} sessions of mine within an hour, so I wait before the next: "
    "is another program logged in with my token?"
)


class Logins:
    """When this process logged in to Discord in the last hour, by each of its clients."""

    def __init__(self) -> None:
        self._moments: deque[float] = deque(maxlen=LOGINS_AN_HOUR)

    def note(self, now: float) -> None:
        """One more; Unserved where that would be too many."""
        full = len(self._moments) == LOGINS_AN_HOUR
        if full and now - self._moments[0] < HOUR_SECONDS:
            raise Unserved(TOO_MANY_LOGINS)
        self._moments.append(now)


class Client(commands.Bot):
    """Serves `/fleet` and nothing else."""

    def __init__(self, bot: Bot, told: FrontReadiness, logins: Logins, **options: Any) -> None:
        # No privileged intent: a message that mentions us comes with its text anyway.
        intents = discord.Intents(guilds=True, guild_messages=True)
        super().__init__(
            commands.when_mentioned,
            intents=intents,
            help_command=None,
            allowed_mentions=discord.AllowedMentions.none(),
            **options,
        )
        self._bot = bot
        self._told = told
        self._logins = logins

    async def setup_hook(self) -> None:
        try:
            await fleet_place(self, self._bot.settings)
        except BadSettings:
            raise
        except Unserved:
            log.debug("discord.fleet_channel_unseen")  # waited out with what else we may not
        guild = discord.Object(self._bot.settings.discord_guild or 0)
        await self.add_cog(FleetCog(self, self._bot, self._told), guild=guild)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:  # noqa: ARG002  (the library's)
        if not initial:
            await self._bot.clock.sleep(LOGIN_AGAIN_SECONDS)
        self._logins.note(self._bot.clock.monotonic())

    async def on_message(self, message: discord.Message, /) -> None:
        """Nothing here is a prefix command; the cog listens for itself."""


async def run(
    bot: Bot,
    told: FrontReadiness | None = None,
    logins: Logins | None = None,
    **options: Any,
) -> None:
    """Serve until cancelled; Unserved where that can't be, with its cause if it may pass.

    What is amiss with the guild is waited out on the living connection.
    """
    if bot.settings.discord_token is None:
        raise BadSettings(NO_TOKEN)
    if bot.settings.discord_guild is None:
        raise BadSettings(GUILD_MISSING)
    token = bot.settings.discord_token.get_secret_value()
    # There is no voice here, so the library need not warn that it lacks what voice needs.
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    client = Client(
        bot,
        told or unwatched("Discord"),
        logins or Logins(),
        proxy=proxy(discord.http.Route.BASE),
        **options,
    )
    async with client:
        try:
            await _until_cancelled(client.start(token))
        except discord.DiscordException as error:
            if stays := _stays(error):
                raise stays from None
            raise Unserved(f"Discord refuses to talk to me ({type(error).__name__}).") from error
        except (aiohttp.ClientError, OSError) as error:
            why = f"Discord can't be reached ({type(error).__name__}). {by_certificate(error)}"
            raise Unserved(why.strip()) from error
        except AttributeError as error:
            # Cut off before its first session, the library looks for what it had of that.
            if client.ws is not None:
                raise
            raise Unserved("Discord can't be reached: it hung up on my login.") from error
        finally:
            await _hang_up(token)


async def _hang_up(token: str) -> None:
    """The library keeps a connection alive on which it did not come to log in."""
    for thread in threading.enumerate():
        if isinstance(thread, KeepAliveHandler) and thread.ws.token == token:
            await thread.ws.close()


async def _until_cancelled(serving: Coroutine[None, None, None]) -> None:
    """Await it; once cancelled, cancel it until it has ended.

    The library logs in under `asyncio.wait_for`, which before Python 3.12 may swallow a
    cancellation; a stop that is lost would be waited for without an end.
    """
    task = asyncio.ensure_future(serving)
    try:
        await asyncio.shield(task)
    finally:
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=STOP_AGAIN_SECONDS)


def _stays(error: Exception) -> Unserved | None:
    """What somebody has to do something about; None where it may pass by itself."""
    match error:
        case discord.LoginFailure() | discord.ConnectionClosed(code=4004):  # not authenticated
            return Unserved(WRONG_TOKEN)
        case discord.PrivilegedIntentsRequired():
            return Unserved(REFUSED_INTENT)
    return None
