"""The REST side of the API: its routes, what they do to the guilds, and what they refuse."""

from typing import Any

from aiohttp import web

from sandbox.discord_api import limit, validate
from sandbox.discord_api.answer import DiscordRefusal, answered
from sandbox.discord_api.backend import Application, Backend
from sandbox.discord_api.channel import READ_MESSAGE_HISTORY, VIEW_CHANNEL, Channel, born
from sandbox.discord_api.guild import EPHEMERAL, LOADING, Guild, Message
from sandbox.discord_api.interaction import Interaction
from sandbox.discord_api.payload import Callback, application, spelled, told

DEFERRED, CHOICES = 5, 8


class Rest:
    """Handlers over what `backend` holds."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[web.RouteDef]:
        root, hook = "/api/v10", "/api/v10/webhooks/{app}/{token}"
        commands = root + "/applications/{app}/guilds/{guild}/commands"
        messages = root + "/channels/{channel}/messages"
        return [
            web.get(f"{root}/users/@me", self._me),
            web.get(f"{root}/oauth2/applications/@me", self._application),
            web.get(commands, self._commands),
            web.post(commands, self._upsert),
            web.put(commands, self._overwrite),
            web.post(f"{root}/interactions/{{id}}/{{token}}/callback", self._callback),
            web.get(f"{hook}/messages/@original", self._original),
            web.patch(f"{hook}/messages/@original", self._edit_original),
            web.post(hook, self._follow_up),
            web.get(messages, self._history),
            web.post(messages, self._send),
            web.get(f"{messages}/{{message}}", self._message),
            web.patch(f"{messages}/{{message}}", self._edit),
            web.delete(f"{messages}/{{message}}", self._delete),
        ]

    # -- who is asking ---------------------------------------------------------------------

    def _app(self, request: web.Request) -> Application:
        token = request.headers.get("Authorization", "").removeprefix("Bot ")
        app = self._backend.applications.get(token)
        if app is None:
            raise DiscordRefusal(401, 0, "401: Unauthorized")
        return app

    async def _me(self, request: web.Request) -> web.Response:
        return answered({**self._app(request).bot.user(), "verified": True, "flags": 0})

    async def _application(self, request: web.Request) -> web.Response:
        return answered(application(self._app(request).bot))

    # -- commands --------------------------------------------------------------------------

    def _commanded(self, request: web.Request) -> Application:
        app = self._app(request)
        guild = self._backend.guild
        absent = request.match_info["guild"] != guild.id or app.bot.id in guild.absent
        if absent or not app.may_command:
            raise DiscordRefusal(403, 50001, "Missing Access")
        return app

    async def _commands(self, request: web.Request) -> web.Response:
        return answered(list(self._commanded(request).commands.values()))

    async def _upsert(self, request: web.Request) -> web.Response:
        app, payload = self._commanded(request), await request.json()
        self._check(validate.command(payload))
        known = app.commands.get(payload["name"])
        id_ = known["id"] if known else self._backend.snowflakes.next()
        app.commands[payload["name"]] = spelled(payload, id_, app.bot.id, self._backend.guild.id)
        self._backend.changed()
        return answered(app.commands[payload["name"]], 200 if known else 201)

    async def _overwrite(self, request: web.Request) -> web.Response:
        app = self._commanded(request)
        app.commands = {
            one["name"]: spelled(
                one, self._backend.snowflakes.next(), app.bot.id, self._backend.guild.id
            )
            for one in await request.json()
        }
        return answered(list(app.commands.values()))

    # -- interactions ----------------------------------------------------------------------

    async def _callback(self, request: web.Request) -> web.Response:
        asked = self._interaction(request, request.match_info["token"])
        payload = await request.json()
        asked.answers += 1
        if self._backend.now() - born(asked.id) > limit.ANSWER_WITHIN_SECONDS:
            raise DiscordRefusal(404, 10062, "Unknown interaction")
        if asked.answer:
            raise DiscordRefusal(400, 40060, "Interaction has already been acknowledged.")
        body, kind = payload.get("data") or {}, payload["type"]
        self._check(
            validate.choices(body, asked.focused) if kind == CHOICES else validate.message(body)
        )
        asked.acknowledge(kind)
        resource = self._answer(asked, kind, body)
        self._backend.changed()
        tells = self._backend.callback
        if "with_response" not in request.query or tells is Callback.NOTHING:
            return web.Response(status=204)
        if tells is Callback.WITHOUT_MESSAGE:
            return answered({"interaction": told(asked, None)})
        body = {"interaction": told(asked, asked.message)}
        return answered({**body, "resource": {"type": kind, **resource}})

    def _answer(self, asked: Interaction, kind: int, body: dict[str, Any]) -> dict[str, Any]:
        match kind:
            case 8:
                asked.choices = body["choices"]
                return {}
            case 6:
                return {}
            case 7 if asked.message is not None:
                asked.message.change(body, self._backend.moment())
                return {"message": asked.message.payload(self._backend.guild.people)}
        flags = body.pop("flags", 0) | (LOADING if kind == DEFERRED else 0)
        answer = self._answering(asked, body, flags)
        answer.asked = asked.id, asked.kind, asked.person
        asked.message = answer
        return {"message": answer.payload(self._backend.guild.people)}

    async def _original(self, request: web.Request) -> web.Response:
        return answered(self._answer_of(request).payload(self._backend.guild.people))

    async def _edit_original(self, request: web.Request) -> web.Response:
        return await self._edited(self._answer_of(request), request)

    def _answer_of(self, request: web.Request) -> Message:
        asked = self._interaction(request, request.match_info["token"], alive=True)
        if self._backend.guild_of(asked.channel.id) is None:
            raise DiscordRefusal(404, 10003, "Unknown Channel")
        message = asked.message
        guild = self._backend.guild_of(message.channel) if message else None
        if message is None or not asked.answer or not guild or message.id not in guild.messages:
            raise DiscordRefusal(404, 10008, "Unknown Message")
        return message

    async def _follow_up(self, request: web.Request) -> web.Response:
        asked = self._interaction(request, request.match_info["token"], alive=True)
        body = await request.json()
        self._check(validate.message(body))
        answer = self._answering(asked, body, body.pop("flags", 0))
        return answered(answer.payload(self._backend.guild.people))

    def _answering(self, asked: Interaction, body: dict[str, Any], flags: int) -> Message:
        """A new message that an interaction has made."""
        answer = self._new(asked.application, asked.channel, body, flags)
        answer.webhook_id, answer.answers = asked.application, True
        if flags & EPHEMERAL:
            asked.whispers.append(answer)
        return answer

    def _interaction(self, request: web.Request, token: str, *, alive: bool = False) -> Interaction:
        asked = self._backend.interactions.get(token)
        if asked is None or request.match_info.get("id", asked.id) != asked.id:
            raise DiscordRefusal(404, 10062 if not alive else 10015, "Unknown interaction")
        if alive and self._backend.now() - born(asked.id) > limit.TOKEN_SECONDS:
            raise DiscordRefusal(401, 50027, "Invalid Webhook Token")
        return asked

    # -- messages --------------------------------------------------------------------------

    def _channel(self, request: web.Request) -> tuple[Guild, Channel]:
        bot = self._app(request).bot
        id_ = request.match_info["channel"]
        guild = self._backend.guild_of(id_)
        if guild is None:
            raise DiscordRefusal(404, 10003, "Unknown Channel")
        channel = guild.channels[id_]
        if bot.id in guild.absent or not guild.may(channel, VIEW_CHANNEL):
            raise DiscordRefusal(403, 50001, "Missing Access")
        return guild, channel

    async def _history(self, request: web.Request) -> web.Response:
        guild, channel = self._channel(request)
        if not guild.may(channel, READ_MESSAGE_HISTORY):
            return answered([])
        after, before = (int(request.query.get(end, 0)) for end in ("after", "before"))
        ids = sorted(int(one.id) for one in guild.in_channel(channel.id))
        found = [id_ for id_ in ids if after < id_ < (before or 1 << 63)]
        most = int(request.query.get("limit", 50))
        shown = found[:most] if after else found[-most:]
        return answered([guild.messages[str(id_)].payload(guild.people) for id_ in shown[::-1]])

    async def _send(self, request: web.Request) -> web.Response:
        (guild, channel), body = self._channel(request), await request.json()
        if not guild.may(channel, channel.sending):
            raise DiscordRefusal(403, 50013, "Missing Permissions")
        if channel.locked:
            raise DiscordRefusal(400, 50083, "Thread is archived")
        if channel.private in self._backend.reclusive:
            raise DiscordRefusal(403, 50007, "Cannot send messages to this user")
        self._check(validate.message(body))
        flags, reference = body.pop("flags", 0), body.pop("message_reference", None)
        self._check_reference(reference, guild)
        # Whatever is said in a thread opens it again.
        channel.archived = False
        nonce = body.pop("nonce", "") if body.pop("enforce_nonce", False) else ""
        author = self._app(request).bot.id
        same = self._backend.nonces.get((author, nonce))
        if same and self._backend.now() - born(same.id) < limit.NONCE_SECONDS:
            return answered(same.payload(guild.people))
        sent = self._new(author, channel, body, flags)
        if nonce:
            self._backend.nonces[author, nonce] = sent
        sent.reference = str(reference["message_id"]) if reference else None
        await self._backend.deliver(sent)
        return answered(sent.payload(guild.people))

    def _check_reference(self, reference: dict[str, Any] | None, guild: Guild) -> None:
        """An answer to a message that is gone is refused, unless it was said that it need not be
        there."""
        needed = reference if reference and reference.get("fail_if_not_exists", True) else None
        if needed and str(needed["message_id"]) not in guild.messages:
            raise DiscordRefusal(400, 50035, "Invalid Form Body: message_reference: Unknown")

    async def _message(self, request: web.Request) -> web.Response:
        found, (guild, _) = self._found(request), self._channel(request)
        answers = guild.messages.get(found.reference or "")
        referenced = answers.payload(guild.people) if answers else None
        return answered({**found.payload(guild.people), "referenced_message": referenced})

    async def _edit(self, request: web.Request) -> web.Response:
        found = self._found(request)
        if found.author.id != self._app(request).bot.id:
            raise DiscordRefusal(403, 50005, "Cannot edit a message authored by another user")
        found.late_edits += self._backend.now() - born(found.id) > limit.EDITABLE_SECONDS
        if found.late_edits > limit.LATE_EDITS:
            raise DiscordRefusal(
                429, 30046, "Maximum number of edits to messages older than 1 hour reached"
            )
        return await self._edited(found, request)

    async def _delete(self, request: web.Request) -> web.Response:
        found = self._found(request)
        if found.author.id != self._app(request).bot.id:
            raise DiscordRefusal(403, 50013, "Missing Permissions")
        del self._backend.guild.messages[found.id]
        return web.Response(status=204)

    def _found(self, request: web.Request) -> Message:
        guild, channel = self._channel(request)
        found = guild.messages.get(request.match_info["message"])
        if found is None or found.channel != channel.id or found.flags & EPHEMERAL:
            raise DiscordRefusal(404, 10008, "Unknown Message")
        return found

    async def _edited(self, message: Message, request: web.Request) -> web.Response:
        body = await request.json()
        guild = self._backend.guild_of(message.channel)
        if guild is None:
            raise DiscordRefusal(404, 10003, "Unknown Channel")
        if guild.channels[message.channel].archived:
            raise DiscordRefusal(400, 50083, "Thread is archived")
        self._check(validate.message(body))
        message.change(body, self._backend.moment())
        self._backend.changed()
        return answered(message.payload(self._backend.guild.people))

    def _new(self, author: str, channel: Channel, body: dict[str, Any], flags: int) -> Message:
        guild = self._backend.guild_of(channel.id)
        if guild is None:
            raise DiscordRefusal(404, 10003, "Unknown Channel")
        made = self._backend.snowflakes.next()
        new = Message(made, channel.id, guild.people[author], body, flags, bodies=[body])
        guild.messages[new.id] = new
        self._backend.changed()
        return new

    def _check(self, problems: list[str]) -> None:
        self._backend.problems += problems
        if problems:
            raise DiscordRefusal(400, 50035, f"Invalid Form Body: {'; '.join(problems)}")
