"""The gateway's side of the socket: hello, identify or resume, and events in order."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

DISPATCH, HEARTBEAT, IDENTIFY, RESUME = 0, 1, 2, 6
INVALID_SESSION, HELLO, HEARTBEAT_ACK = 9, 10, 11
GOING_AWAY, NOT_AUTHENTICATED, DISALLOWED_INTENTS = 1001, 4004, 4014
GUILDS, GUILD_MESSAGES, MESSAGE_CONTENT = 1 << 0, 1 << 9, 1 << 15
PRIVILEGED = (1 << 1) | (1 << 8) | MESSAGE_CONTENT
HEARTBEAT_MILLISECONDS = 41_250


@dataclass(slots=True)
class Session:
    """One client's session: it keeps every event since READY, so that it can be resumed; `shaped`
    makes the data of each event what is sent."""

    id: str
    token: str
    intents: int
    shaped: Callable[[Any], Any]
    events: list[dict[str, Any]] = field(default_factory=list)
    socket: web.WebSocketResponse | None = None
    resumed: int = 0

    async def dispatch(self, name: str, data: dict[str, Any] | None) -> None:
        event = {"op": DISPATCH, "t": name, "s": len(self.events) + 1, "d": self.shaped(data)}
        self.events.append(event)
        await self._send(event)

    async def replay(self, after: int) -> None:
        self.resumed += 1
        for event in self.events[after:]:
            await self._send(event)
        await self.dispatch("RESUMED", {})

    async def drop(self, code: int = 4000) -> None:
        """Cut the line; after most codes the session waits for its client to resume."""
        socket, self.socket = self.socket, None
        if socket is not None:
            await socket.close(code=code)

    async def _send(self, event: dict[str, Any]) -> None:
        if self.socket is not None and not self.socket.closed:
            await self.socket.send_str(json.dumps(event))


async def hello(socket: web.WebSocketResponse) -> dict[str, Any] | None:
    """Greet, and return the client's IDENTIFY or RESUME; None when it hung up."""
    await send(socket, HELLO, {"heartbeat_interval": HEARTBEAT_MILLISECONDS})
    async for said in socket:
        if said.type is not WSMsgType.TEXT:
            continue
        payload: dict[str, Any] = json.loads(said.data)
        if payload["op"] in (IDENTIFY, RESUME):
            return payload
        await answer(socket, payload)
    return None


async def listen(socket: web.WebSocketResponse) -> None:
    """Answer heartbeats until the client hangs up."""
    async for said in socket:
        if said.type is WSMsgType.TEXT:
            await answer(socket, json.loads(said.data))


async def answer(socket: web.WebSocketResponse, payload: dict[str, Any]) -> None:
    if payload["op"] == HEARTBEAT:
        await send(socket, HEARTBEAT_ACK, None)


async def send(socket: web.WebSocketResponse, op: int, data: object) -> None:
    await socket.send_str(json.dumps({"op": op, "d": data, "s": None, "t": None}))
