"""What is asked for by its id: a channel, the private chat with a person, a member."""

from aiohttp import web

from sandbox.discord_api.answer import answered
from sandbox.discord_api.backend import Backend
from sandbox.discord_api.channel import VIEW_CHANNEL


class Lookup:
    """Handlers over what `backend` holds."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v10/channels/{channel}", self._channel),
            web.post("/api/v10/users/@me/channels", self._private),
            web.get("/api/v10/guilds/{guild}/members/{user}", self._member),
        ]

    async def _channel(self, request: web.Request) -> web.Response:
        id_ = request.match_info["channel"]
        guild = self._backend.guild_of(id_)
        if guild is None:
            return answered({"message": "Unknown Channel", "code": 10003}, 404)
        channel = guild.channels[id_]
        if not (channel.private or guild.may(channel, VIEW_CHANNEL)):
            return answered({"message": "Missing Access", "code": 50001}, 403)
        return answered(channel.payload(guild.id))

    async def _private(self, request: web.Request) -> web.Response:
        person = str((await request.json())["recipient_id"])
        return answered(self._backend.private(person).payload(""))

    async def _member(self, request: web.Request) -> web.Response:
        guild = self._backend.guilds.get(request.match_info["guild"])
        found = guild.people.get(request.match_info["user"]) if guild else None
        if guild is None or found is None:
            return answered({"message": "Unknown Member", "code": 10007}, 404)
        return answered({**found.member(guild), "user": found.user()})
