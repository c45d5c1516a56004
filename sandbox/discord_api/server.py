"""The Discord API on loopback, and what the people in its guild do."""

from collections.abc import Sequence
from typing import Any, Self

from aiohttp import web
from aiohttp.typedefs import Middleware

from fleet_control.clock import Clock
from sandbox.discord_api import gateway
from sandbox.discord_api.backend import PATIENCE_SECONDS, Application, Backend
from sandbox.discord_api.channel import Channel
from sandbox.discord_api.guard import Guard
from sandbox.discord_api.guild import Guild, Member, Message
from sandbox.discord_api.interaction import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    Interaction,
    command_data,
)
from sandbox.discord_api.lookup import Lookup
from sandbox.discord_api.payload import ready
from sandbox.discord_api.rest import Rest
from sandbox.loopback import listen


class DiscordApi(Backend):
    """The API on loopback, which calls reach through `middlewares`, and what people do in the guild
    behind it."""

    def __init__(
        self,
        clock: Clock,
        patience: float = PATIENCE_SECONDS,
        middlewares: Sequence[Middleware] = (),
    ) -> None:
        super().__init__(clock, patience)
        self._middlewares = middlewares
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self, port: int = 0) -> str:
        rest = Rest(self)
        app = web.Application(middlewares=[*self._middlewares, Guard(self).stand])
        app.add_routes([*rest.routes(), web.get("/gateway/", self._gateway)])
        app.add_routes(Lookup(self).routes())
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

    # -- what people do --------------------------------------------------------------------

    async def command(
        self,
        app: Application,
        person: Member,
        sub: str,
        channel: Channel | None = None,
        **options: str | int,
    ) -> Interaction:
        """Pick `/fleet <sub>` from the menu; LookupError unless it was registered."""
        data = self._command_data(app, sub, options)
        return await self._ask(app, COMMAND, person, channel or self.fleet, data)

    async def typing(
        self, app: Application, person: Member, sub: str, focused: str, **options: str | int
    ) -> Interaction:
        """Type in an option that offers choices."""
        data = self._command_data(app, sub, options, focused)
        (registered,) = (one for one in app.commands["fleet"]["options"] if one["name"] == sub)
        kinds = {one["name"]: one["type"] for one in registered["options"]}
        for one in data["options"][0]["options"]:
            one["type"] = kinds[one["name"]]  # what is typed is a text, whatever it is to be
        return await self._ask(app, AUTOCOMPLETE, person, self.fleet, data)

    async def press(
        self, app: Application, person: Member, message: Message, custom_id: str
    ) -> Interaction:
        data = {"custom_id": custom_id, "component_type": 2, "id": 2}
        channel = self._guild(message.channel).channels[message.channel]
        return await self._ask(app, COMPONENT, person, channel, data, message)

    async def say(
        self, person: Member, content: str, channel: Channel | None = None, *, webhook: str = ""
    ) -> Message:
        """A message of a person, of another program, or of a webhook that took a person's name."""
        body = {"content": content}
        where = (channel or self.fleet).id
        said = Message(self.snowflakes.next(), where, person, body, webhook_id=webhook or None)
        self._guild(where).messages[said.id] = said
        await self.deliver(said)
        return said

    # -- what administrators do ------------------------------------------------------------

    async def deny(self, channel: Channel, permissions: int) -> None:
        """From now on nobody has these permissions there, and everybody has the others."""
        channel.denied = permissions
        await self.event("CHANNEL_UPDATE", channel.payload(self._guild(channel.id).id))

    async def allow_everyone(self, permissions: int) -> None:
        """From now on everybody in the guild has these permissions, and no other."""
        self.guild.everyone = permissions
        role = {"guild_id": self.guild.id, "role": self.guild.everyones()}
        await self.event("GUILD_ROLE_UPDATE", role)

    async def archive(self, thread: Channel, *, locked: bool = False) -> None:
        """Close a thread; unless it is `locked`, the next message opens it again."""
        thread.archived, thread.locked = True, locked
        await self.event("THREAD_UPDATE", thread.payload(self._guild(thread.id).id))

    async def delete(self, channel: Channel) -> None:
        """Delete a channel or a thread with all its messages."""
        guild = self._guild(channel.id)
        del guild.channels[channel.id]
        for message in guild.in_channel(channel.id):
            del guild.messages[message.id]
        kind = "THREAD_DELETE" if channel.parent else "CHANNEL_DELETE"
        await self.event(kind, channel.payload(guild.id))

    async def put_out(self, app: Application) -> None:
        """Remove the bot from the guild; `invite` lets it in again."""
        self.guild.absent.add(app.bot.id)
        for session in self.sessions_of(app):
            await session.dispatch("GUILD_DELETE", {"id": self.guild.id})

    async def invite(self, app: Application) -> None:
        self.guild.absent.discard(app.bot.id)
        # By what is left out, a client tells a guild it comes to from one that was away.
        payload = self.guild.payload(app.bot)
        del payload["unavailable"]
        for session in self.sessions_of(app):
            await session.dispatch("GUILD_CREATE", payload)

    def _guild(self, channel: str) -> Guild:
        guild = self.guild_of(channel)
        if guild is None:
            raise LookupError(f"there is no channel {channel}")
        return guild

    def _command_data(
        self, app: Application, sub: str, options: dict[str, str | int], focused: str = ""
    ) -> dict[str, Any]:
        id_ = app.commands["fleet"]["id"]
        return command_data(id_, self.guild.id, ("fleet", sub), options, focused)

    async def _ask(
        self,
        app: Application,
        kind: int,
        person: Member,
        channel: Channel,
        data: dict[str, Any],
        message: Message | None = None,
    ) -> Interaction:
        id_ = self.snowflakes.next()
        asked = Interaction(id_, f"token-{id_}", app.bot.id, kind, person, channel, data, message)
        self.interactions[asked.token] = asked
        for session in self.sessions_of(app):
            await session.dispatch("INTERACTION_CREATE", asked.payload(self._guild(channel.id)))
        return asked

    # -- gateway ---------------------------------------------------------------------------

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if not self.greets:
            await socket.close(code=gateway.GOING_AWAY)
            return socket
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
        self.identified += said["op"] == gateway.IDENTIFY
        app = self.applications.get(data["token"])
        if app is None:
            await socket.close(code=gateway.NOT_AUTHENTICATED)
            return None
        if said["op"] == gateway.RESUME:
            return await self._resume(socket, data)
        if not self.holds_sessions:
            await gateway.send(socket, gateway.INVALID_SESSION, False)
            return None
        if data["intents"] & self.privileged:
            await socket.close(code=gateway.DISALLOWED_INTENTS)
            return None
        # A client that identifies anew gets no more of what its last session missed.
        self.sessions = [one for one in self.sessions if one.token != app.token or one.socket]
        made, intents = self.snowflakes.next(), data["intents"]
        session = gateway.Session(made, app.token, intents, self.shaped, socket=socket)
        self.sessions.append(session)
        url = f"{self.url.replace('http', 'ws')}/gateway/"
        there = [one for one in self.guilds.values() if app.bot.id not in one.absent]
        ids = [one.id for one in there]
        await session.dispatch("READY", ready(app.bot, session.id, ids, url))
        for guild in there:
            if guild is not self.guild or not self.away:
                await session.dispatch("GUILD_CREATE", guild.payload(app.bot))
        return session

    async def come_back(self) -> None:
        """End an outage of the guild."""
        self.away = False
        for app in self.applications.values():
            for session in self.sessions_of(app):
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
