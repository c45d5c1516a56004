"""Telegram, as it brings updates by a webhook: again until one is taken, each chat's in turn."""

import asyncio
from contextlib import suppress

import aiohttp

from sandbox.telegram_api.history import Json
from tests.telegram.scene import TelegramScene

KINDS = ("message", "callback_query")
# Long enough for the loop to stand still meanwhile, which others wait for.
AGAIN_SECONDS = 0.005


class Bringing:
    """Attributes:
    statuses: what the webhook answered.
    """

    def __init__(self, scene: TelegramScene) -> None:
        self._scene = scene
        self.statuses: list[int] = []
        self._under_way: set[str] = set()

    @property
    def is_about_to_bring(self) -> bool:
        """Whether there is something to bring that the bot has not been brought yet."""
        return any(self._next(kind) for kind in KINDS if kind not in self._under_way)

    async def run(self) -> None:
        """Until cancelled. Presses go beside what is said in a chat, as with Telegram."""
        async with asyncio.TaskGroup() as group:
            for kind in KINDS:
                group.create_task(self._all_of(kind))

    async def _all_of(self, kind: str) -> None:
        while True:
            await asyncio.sleep(AGAIN_SECONDS)
            if update := self._next(kind):
                self._under_way.add(kind)
                await self._bring(update)
                self._under_way.remove(kind)

    def _next(self, kind: str) -> Json | None:
        telegram = self._scene.telegram
        if self._scene.line.is_cut or not telegram.methods.webhook["url"]:
            return None
        return next((one for one in telegram.updates.waiting if kind in one), None)

    async def _bring(self, update: Json) -> None:
        with suppress(aiohttp.ClientError):
            self.statuses.append(await self._scene.telegram.deliver(update))
