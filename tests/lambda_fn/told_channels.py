"""Bots that tell the fleet's channels, before the real Control API."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fleet_control.announcement import Announcement, ReplyLife, WatchLease
from fleet_control.control_api import ControlApi
from fleet_control.ledger import Entry
from tests.clock import TurnedClock
from tests.real_control_api import RealControlApi, real_control_api

DISCORD, TELEGRAM = "discord:901", "telegram:-1009/5"
SAM = "discord:1 sam"
AUTHOR = "claw-1"
ASKED = f"discord.{AUTHOR}.11.22"
REPLY = "33"
BUTTON = Entry()
AGENTS = Entry("agent.claw-2.cli.41", target="claw-1", caller="claw-2")
PERSONS = Entry(ASKED, REPLY, "claw-2", requested_by=SAM)
RUN = 7


@dataclass
class ToldChannels:
    """Each bot signs with its own key; the channels are told of deploys since the start."""

    api: RealControlApi
    clock: TurnedClock
    _clients: dict[str, ControlApi] = field(default_factory=dict)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> "ToldChannels":
        for channel in (DISCORD, TELEGRAM):
            await self.watch("claw-9", channel)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def bot(self, name: str) -> ControlApi:
        if name not in self._clients:
            client = self.api.client(name)
            self._clients[name] = await self._stack.enter_async_context(client)
        return self._clients[name]

    async def announce(
        self, bot: str, channel: str = DISCORD, run_id: int = RUN, **noted: Any
    ) -> Announcement:
        return await (await self.bot(bot)).announce(run_id, channel, bot, **noted)

    async def living(self, request_id: str = ASKED, bot: str = AUTHOR) -> ReplyLife:
        life = await (await self.bot(bot)).living(request_id)
        assert life is not None, "no process of a bot's is younger than its only one"
        return life

    async def watch(self, bot: str, channel: str = DISCORD, **more: Any) -> WatchLease:
        return await (await self.bot(bot)).watch(channel, bot, **more)

    async def deploy(self, entry: Entry = PERSONS, run_id: int = RUN) -> None:
        """The author's bot asks for it; its run gets that id."""
        await (await self.bot(AUTHOR)).deploy(entry)
        self.api.github.runs[0]["id"] = run_id

    async def note_told(self, end: str, request_id: str = ASKED) -> None:
        await (await self.bot(AUTHOR)).note_told(request_id, end)

    async def told(self, request_id: str = ASKED) -> str | None:
        return await (await self.bot(AUTHOR)).told(request_id)

    def row(self, key: str) -> dict[str, Any]:
        return self.api.rows()[key]


@asynccontextmanager
async def told_channels() -> AsyncIterator[ToldChannels]:
    clock = TurnedClock()
    async with real_control_api(clock) as api, ToldChannels(api, clock) as channels:
        yield channels
