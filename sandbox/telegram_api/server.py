"""The Bot API over HTTP, and the people in its chats."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Middleware

from fleet_control.clock import Clock
from sandbox.loopback import listen, url_of
from sandbox.telegram_api.history import ChatHistory, Json, user
from sandbox.telegram_api.method import Methods
from sandbox.telegram_api.network_faults import NetworkFaults
from sandbox.telegram_api.refusal import BotApiRefusal
from sandbox.telegram_api.update_queue import UpdateQueue

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  (a header's name)


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call that arrived: the method, and its parameters as they were sent."""

    method: str
    sent: dict[str, str]


class BotApi:
    """One bot's Bot API. `token` is the only one it knows; calls pass `middlewares` first.

    `beside` is another bot's, in whose groups this one is, too: in a supergroup both have the same
    numbers for a message, in another group each its own, and each is alone with people by itself.
    It is told of what people do there as Telegram's privacy mode has it.

    Attributes:
        calls: what arrived, oldest first.
        all: those of every bot in the same chats, itself among them.
        hears_all: whether its bot is told of all that people say in a group, and not only of what
            is said to it.
    """

    def __init__(
        self,
        token: str,
        clock: Clock,
        username: str = "fleet_bot",
        middlewares: Sequence[Middleware] = (),
        beside: "BotApi | None" = None,
    ) -> None:
        bot = user(int(token.partition(":")[0]), "Fleet", is_bot=True, username=username)
        self.history: ChatHistory = (
            beside.all[-1].history.of_another(bot) if beside else ChatHistory(bot, clock)
        )
        self.all: list[BotApi] = beside.all if beside else []
        self.all.append(self)
        self.hears_all = beside is None
        self.updates = UpdateQueue()
        self.methods = Methods(self.history, self.updates)
        self.weather = NetworkFaults(clock)
        self.calls: list[ApiCall] = []
        self._token = token
        self._middlewares = middlewares
        self._runner: web.AppRunner | None = None
        self._port = 0

    def hears(self, message: Json) -> bool:
        """Whether the bot is told of what somebody says in a group that both are in."""
        me = self.history.bot
        if self.history.me(message["chat"]["id"])["status"] in ("kicked", "left"):
            return False
        sender = message.get("from")
        to_me = f"@{me['username']}".lower() in message.get("text", "").lower()
        answers_me = message.get("reply_to_message", {}).get("from") == me
        is_of_bot = sender is not None and sender["is_bot"]
        return to_me or answers_me or sender is None or (self.hears_all and not is_of_bot)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> str:
        app = web.Application(middlewares=self._middlewares)
        app.router.add_route("*", "/bot{token}/{method}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        listening = listen(self._port)
        await web.SockSite(self._runner, listening).start()
        self._port = int(url_of(listening).rpartition(":")[2])
        return self.url

    async def stop(self) -> None:
        """Stop listening; `start` listens on the same port again."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    def called(self, method: str) -> list[ApiCall]:
        return [call for call in self.calls if call.method == method]

    async def deliver(self, update: Json) -> int:
        """Send an update to the webhook that is set; the HTTP status it answered."""
        headers = {SECRET_HEADER: self.methods.webhook_secret}
        url = self.methods.webhook["url"]
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json=update, headers=headers) as answer,
        ):
            if answer.ok and update in self.updates.waiting:
                self.updates.confirm_one(update)
            return answer.status

    async def _serve(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        sent = await _parameters(request)
        self.calls.append(ApiCall(method, sent))
        try:
            await self.weather.pass_through(method)
            if request.match_info["token"] != self._token:
                raise BotApiRefusal(401, "Unauthorized")
            instead = self.weather.instead
            result: Any = (
                instead[method] if method in instead else await self.methods.call(method, sent)
            )
        except BotApiRefusal as refusal:
            return web.json_response(refusal.body(), status=refusal.status)
        except asyncio.CancelledError:
            await self.history.tell()
            raise
        return web.json_response({"ok": True, "result": result})


async def _parameters(request: web.Request) -> dict[str, str]:
    if request.content_type == "application/json":
        raw = await request.json()
        return {k: v if isinstance(v, str) else json.dumps(v) for k, v in raw.items()}
    form = await request.post()
    return {name: str(value) for name, value in (*request.query.items(), *form.items())}
