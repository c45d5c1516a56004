"""The state of the guilds, and the gateway sessions that get their events."""

import asyncio
import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fleet_control.clock import Clock
from sandbox.discord_api import gateway
from sandbox.discord_api.answer import DROPPED, Injected
from sandbox.discord_api.channel import VIEW_CHANNEL, Channel, moment
from sandbox.discord_api.guild import Guild, Member, Message, Snowflakes
from sandbox.discord_api.interaction import Interaction
from sandbox.discord_api.payload import Callback, sparse
from sandbox.discord_api.rate_limit import RateLimits

PATIENCE_SECONDS = 20.0


@dataclass(slots=True)
class Application:
    """A bot that can log in with `token`; `may_command`: invited with `applications.commands`."""

    token: str
    bot: Member
    commands: dict[str, dict[str, Any]] = field(default_factory=dict)
    may_command: bool = True


class Backend:
    """The state of two guilds that every bot is in: `guild`, at first with a channel `fleet` and no
    members, and `elsewhere`, which has the same members and a channel `lobby`.

    Attributes:
        guilds: by id; there may be more than those two.
        limits: of how often each route may be called.
        sparse: what Discord may leave out is left out.
        callback: what the answer to the first answer of an interaction tells.
        patience: how many seconds `until` waits.
        privileged: the intents that nobody is granted here.
        slowness: seconds by the clock that each REST call takes.
        away: the guild is not to be had just now, as after an outage.
        reclusive: ids of the people who take no private messages.
        greets: whether the gateway says hello; else it hangs up.
        identified: how often somebody logged in.
        holds_sessions: whether a session lasts; else each is ended at once.
        problems: what Discord would not have taken.
        asked, moments: every REST call, and when it came (`time.perf_counter`).
    """

    def __init__(self, clock: Clock, patience: float = PATIENCE_SECONDS) -> None:
        self.now = clock.now
        self.slowness = 0.0
        self._clock = clock
        self._patience = patience
        self.snowflakes = Snowflakes(clock)
        self.guild = Guild(self.snowflakes.next())
        self.elsewhere = Guild(self.snowflakes.next(), "Elsewhere", people=self.guild.people)
        self.guilds = {one.id: one for one in (self.guild, self.elsewhere)}
        self.fleet = self.channel("fleet")
        self.lobby = self.channel("lobby", guild=self.elsewhere)
        self.limits = RateLimits()
        self.sparse = False
        self.callback = Callback.FULL
        self.applications: dict[str, Application] = {}
        self.interactions: dict[str, Interaction] = {}
        self.sessions: list[gateway.Session] = []
        self.privileged = gateway.PRIVILEGED
        self.away = False
        self.reclusive: set[str] = set()
        self.greets = True
        self.identified = 0
        self.holds_sessions = True
        self.problems: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.moments: list[float] = []
        self.injected: list[Injected] = []
        self.nonces: dict[tuple[str, str], Message] = {}
        self._changed = asyncio.Condition()
        self._news: set[asyncio.Task[None]] = set()

    # -- who is there ----------------------------------------------------------------------

    def application(self, name: str = "clawbot") -> Application:
        """A new application whose bot is in the guild."""
        bot = self.person(name, bot=True)
        start = base64.urlsafe_b64encode(bot.id.encode()).decode().rstrip("=")
        app = Application(f"{start}.sandbox.{name}", bot)
        self.applications[app.token] = app
        return app

    def person(self, name: str, *roles: str, bot: bool = False) -> Member:
        one = Member(self.snowflakes.next(), name, bot, set(roles))
        self.guild.people[one.id] = one
        return one

    def role(self, name: str, of: Member | None = None) -> str:
        """A new role; `of` a bot whose own it is, as each has one."""
        id_ = self.snowflakes.next()
        self.guild.roles[id_] = name
        if of is not None:
            self.guild.own_roles[id_] = of.id
        return id_

    def channel(
        self, name: str, parent: Channel | None = None, guild: Guild | None = None
    ) -> Channel:
        """A new text channel, or a thread of `parent`."""
        one = Channel(self.snowflakes.next(), name, parent=parent.id if parent else None)
        (guild or self.guild).channels[one.id] = one
        return one

    def guild_of(self, channel: str) -> Guild | None:
        """The guild that has a channel of that id."""
        return next((one for one in self.guilds.values() if channel in one.channels), None)

    def private(self, person: str) -> Channel:
        """The chat of a bot and one person, which is made once."""
        for one in self.guild.channels.values():
            if one.private == person:
                return one
        one = self.channel("")
        one.private = person
        return one

    # -- what comes of it ------------------------------------------------------------------

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until `holds` is true; it is asked again at every change."""
        async with asyncio.timeout(self._patience), self._changed:
            await self._changed.wait_for(lambda: bool(holds()))

    async def pass_through(self) -> None:
        """Wait as long as a call is to take now."""
        if self.slowness:
            await self._clock.sleep(self.slowness)

    def changed(self) -> None:
        """Tell `until` that something has changed."""
        task = asyncio.get_running_loop().create_task(self._notify())
        self._news.add(task)
        task.add_done_callback(self._news.discard)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def deliver(self, message: Message) -> None:
        """Tell every application that hears messages, as much as it may read of it."""
        for app in self.applications.values():
            for session in self.sessions_of(app):
                if session.intents & gateway.GUILD_MESSAGES and self._visible(message, app):
                    payload = self._readable(message, app, session.intents)
                    await session.dispatch("MESSAGE_CREATE", payload)
        self.changed()

    async def event(self, name: str, data: dict[str, Any]) -> None:
        """Tell every application of something in its guilds."""
        for session in self.sessions:
            if session.intents & gateway.GUILDS:
                await session.dispatch(name, data)
        self.changed()

    def _visible(self, message: Message, app: Application) -> bool:
        guild = self.guild_of(message.channel)
        if guild is None or app.bot.id in guild.absent:
            return False
        return guild.may(guild.channels[message.channel], VIEW_CHANNEL)

    def _readable(self, message: Message, app: Application, intents: int) -> dict[str, Any]:
        guild = self.guild_of(message.channel) or self.guild
        payload = message.payload(guild.people)
        member = {} if message.webhook_id else {"member": message.author.member(guild)}
        addressed = any(one["id"] == app.bot.id for one in payload["mentions"])
        own = message.author.id == app.bot.id
        if not (addressed or own or intents & gateway.MESSAGE_CONTENT):
            payload |= {"content": "", "embeds": [], "components": []}
        return {**payload, **member, "guild_id": guild.id}

    def refuse_next(
        self, method: str, path: str, status: int, body: dict[str, Any], **headers: str
    ) -> Injected:
        """The next call of that method whose path matches is answered so; then it is gone."""
        refusal = Injected(method, re.compile(path), status, body, headers)
        self.injected.append(refusal)
        return refusal

    def drop_next(self, method: str, path: str, *, taken: bool = False) -> Injected:
        """The connection of such a call breaks; what it asked for is done if it was `taken`."""
        drop = Injected(method, re.compile(path), DROPPED, {}, {}, taken)
        self.injected.append(drop)
        return drop

    def take_injected(self, method: str, path: str) -> Injected | None:
        for one in self.injected:
            if one.method == method and one.path.search(path):
                self.injected.remove(one)
                return one
        return None

    def shaped(self, payload: Any) -> Any:
        """A payload with or without what is optional in it."""
        return sparse(payload) if self.sparse else payload

    def moment(self) -> str:
        return moment(self.now())

    def sessions_of(self, app: Application) -> list[gateway.Session]:
        return [session for session in self.sessions if session.token == app.token]
