"""The guild itself: applications log in to it, people do things in it."""

import asyncio
import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from aiohttp import web

from clawbot.sandbox.discord_api import gateway
from clawbot.sandbox.discord_api.guild import Channel, Guild, Message, Person, Snowflakes
from clawbot.sandbox.discord_api.interaction import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    Interaction,
    command_data,
)
from clawbot.sandbox.discord_api.rest import DROPPED, Injected, Rest
from clawbot.sandbox.discord_api.spelling import ready
from clawbot.sandbox.loopback import listen
from fleet_control.clock import Clock

PATIENCE_SECONDS = 20.0


@dataclass(slots=True)
class Application:
    """A bot that can log in with `token`; `may_command`: invited with `applications.commands`."""

    token: str
    bot: Person
    commands: dict[str, dict[str, Any]] = field(default_factory=dict)
    may_command: bool = True


class DiscordApi:
    """Starts with a guild, a channel `fleet`, and nobody in it.

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
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self, port: int = 0) -> str:
        rest = Rest(self)
        app = web.Application(middlewares=[rest.guard])
        app.add_routes([*rest.routes(), web.get("/gateway/", self._gateway)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        socket = listen(port)
        # A whole guild may call at once; a connection turned away comes again a second later.
        await web.SockSite(self._runner, socket, backlog=1024).start()
        self.url = f"http://127.0.0.1:{socket.getsockname()[1]}"
        return self.url

    async def stop(self) -> None:
        for session in self.sessions:
            await session.drop()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # -- who is there ----------------------------------------------------------------------

    def application(self, name: str = "clawbot") -> Application:
        """A new application whose bot is in the guild."""
        bot = self.person(name, bot=True)
        start = base64.urlsafe_b64encode(bot.id.encode()).decode().rstrip("=")
        app = Application(f"{start}.sandbox.{name}", bot)
        self.applications[app.token] = app
        return app

    def person(self, name: str, *roles: str, bot: bool = False) -> Person:
        one = Person(self.snowflakes.next(), name, bot, set(roles))
        self.guild.people[one.id] = one
        return one

    def role(self, name: str) -> str:
        id_ = self.snowflakes.next()
        self.guild.roles[id_] = name
        return id_

    def channel(self, name: str, parent: Channel | None = None) -> Channel:
        """A new text channel, or a thread of `parent`."""
        one = Channel(self.snowflakes.next(), name, parent=parent.id if parent else None)
        self.guild.channels[one.id] = one
        return one

    # -- what people do --------------------------------------------------------------------

    async def command(
        self,
        app: Application,
        person: Person,
        sub: str,
        channel: Channel | None = None,
        **options: str,
    ) -> Interaction:
        """`/fleet <sub>`, picked from the menu; unknown to Discord unless it was registered."""
        data = self._command_data(app, sub, options)
        return await self._ask(app, COMMAND, person, channel or self.fleet, data)

    async def typing(
        self, app: Application, person: Person, sub: str, focused: str, **options: str
    ) -> Interaction:
        """What is typed so far in an option that offers choices."""
        data = self._command_data(app, sub, options, focused)
        return await self._ask(app, AUTOCOMPLETE, person, self.fleet, data)

    async def press(
        self, app: Application, person: Person, message: Message, custom_id: str
    ) -> Interaction:
        data = {"custom_id": custom_id, "component_type": 2, "id": 1}
        channel = self.guild.channels[message.channel]
        return await self._ask(app, COMPONENT, person, channel, data, message)

    async def say(
        self, person: Person, content: str, channel: Channel | None = None, *, webhook: str = ""
    ) -> Message:
        """A message of a person, of another program, or of a webhook that took a person's name."""
        body = {"content": content}
        where = (channel or self.fleet).id
        said = Message(self.snowflakes.next(), where, person, body, webhook_id=webhook or None)
        self.guild.messages[said.id] = said
        await self.deliver(said)
        return said

    def _command_data(
        self, app: Application, sub: str, options: dict[str, str], focused: str = ""
    ) -> dict[str, Any]:
        id_ = app.commands["fleet"]["id"]
        return command_data(id_, self.guild.id, ("fleet", sub), options, focused)

    async def _ask(
        self,
        app: Application,
        kind: int,
        person: Person,
        channel: Channel,
        data: dict[str, Any],
        message: Message | None = None,
    ) -> Interaction:
        id_ = self.snowflakes.next()
        asked = Interaction(id_, f"token-{id_}", app.bot.id, kind, person, channel, data, message)
        self.interactions[asked.token] = asked
        for session in self._sessions(app):
            await session.dispatch("INTERACTION_CREATE", asked.payload(self.guild))
        return asked

    # -- what comes of it ------------------------------------------------------------------

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something is so; asked again at every change."""
        async with asyncio.timeout(self._patience), self._changed:
            await self._changed.wait_for(lambda: bool(holds()))

    async def pass_through(self) -> None:
        """Wait as long as a call takes now."""
        if self.slowness:
            await self._clock.sleep(self.slowness)

    def changed(self) -> None:
        """Something is no longer as it was; `until` looks again."""
        task = asyncio.get_running_loop().create_task(self._notify())
        self._news.add(task)
        task.add_done_callback(self._news.discard)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def deliver(self, message: Message) -> None:
        """Tell every application that hears messages, as much as it may read of it."""
        for app in self.applications.values():
            for session in self._sessions(app):
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

    # -- gateway ---------------------------------------------------------------------------

    def _sessions(self, app: Application) -> list[gateway.Session]:
        return [session for session in self.sessions if session.token == app.token]

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        said = await gateway.hello(socket)
        session = await self._session(socket, said) if said else None
        if session is not None:
            self.changed()
            await gateway.listen(socket)
            if session.socket is socket:
                session.socket = None
                self.changed()
        return socket

    async def _session(
        self, socket: web.WebSocketResponse, said: dict[str, Any]
    ) -> gateway.Session | None:
        data = said["d"]
        app = self.applications.get(data["token"])
        if app is None:
            await socket.close(code=gateway.NOT_AUTHENTICATED)
            return None
        if said["op"] == gateway.RESUME:
            return await self._resume(socket, data)
        if data["intents"] & self.privileged:
            await socket.close(code=gateway.DISALLOWED_INTENTS)
            return None
        # A client that identifies anew gets no more of what its last session missed.
        self.sessions = [one for one in self.sessions if one.token != app.token or one.socket]
        session = gateway.Session(self.snowflakes.next(), app.token, data["intents"], socket=socket)
        self.sessions.append(session)
        url = f"{self.url.replace('http', 'ws')}/gateway/"
        await session.dispatch("READY", ready(app.bot, session.id, self.guild.id, url))
        if not self.away:
            await session.dispatch("GUILD_CREATE", self.guild.payload(app.bot))
        return session

    async def come_back(self) -> None:
        """The guild is there again."""
        self.away = False
        for app in self.applications.values():
            for session in self._sessions(app):
                await session.dispatch("GUILD_CREATE", self.guild.payload(app.bot))

    async def _resume(
        self, socket: web.WebSocketResponse, data: dict[str, Any]
    ) -> gateway.Session | None:
        session = next((one for one in self.sessions if one.id == data["session_id"]), None)
        if session is None:
            await gateway.send(socket, gateway.INVALID_SESSION, False)
            return None
        session.socket = socket
        await session.replay(data["seq"])
        return session
