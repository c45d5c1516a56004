"""The state of one guild, and the gateway sessions that get its events."""

import asyncio
import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fleet_control.clock import Clock
from sandbox.discord_api import gateway
from sandbox.discord_api.answer import DROPPED, Injected
from sandbox.discord_api.guild import Channel, Guild, Member, Message, Snowflakes
from sandbox.discord_api.interaction import Interaction

PATIENCE_SECONDS = 20.0


@dataclass(slots=True)
class Application:
    """A bot that can log in with `token`; `may_command`: invited with `applications.commands`."""

    token: str
    bot: Member
    commands: dict[str, dict[str, Any]] = field(default_factory=dict)
    may_command: bool = True


class Backend:
    """One guild's state, at first with a channel `fleet` and no members.

    Attributes:
        patience: how many seconds `until` waits.
        privileged: the intents that nobody is granted here.
        slowness: seconds by the clock that each REST call takes.
        away: the guild is not to be had just now, as after an outage.
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
        self.fleet = self.channel("fleet")
        self.applications: dict[str, Application] = {}
        self.interactions: dict[str, Interaction] = {}
        self.sessions: list[gateway.Session] = []
        self.privileged = gateway.PRIVILEGED
        self.away = False
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

    def channel(self, name: str, parent: Channel | None = None) -> Channel:
        """A new text channel, or a thread of `parent`."""
        one = Channel(self.snowflakes.next(), name, parent=parent.id if parent else None)
        self.guild.channels[one.id] = one
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
                if session.intents & gateway.GUILD_MESSAGES:
                    payload = self._readable(message, app, session.intents)
                    await session.dispatch("MESSAGE_CREATE", payload)
        self.changed()

    def _readable(self, message: Message, app: Application, intents: int) -> dict[str, Any]:
        payload = message.payload(self.guild.people)
        member = {} if message.webhook_id else {"member": message.author.member()}
        addressed = any(one["id"] == app.bot.id for one in payload["mentions"])
        own = message.author.id == app.bot.id
        if not (addressed or own or intents & gateway.MESSAGE_CONTENT):
            payload |= {"content": "", "embeds": [], "components": []}
        return {**payload, **member, "guild_id": self.guild.id}

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

    def moment(self) -> str:
        return datetime.fromtimestamp(self.now(), UTC).isoformat(timespec="microseconds")

    def sessions_of(self, app: Application) -> list[gateway.Session]:
        return [session for session in self.sessions if session.token == app.token]
