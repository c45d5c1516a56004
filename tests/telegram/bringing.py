"""Telegram, as it brings updates by a webhook: again until one is taken, each chat's in turn."""

import asyncio
from contextlib import suppress

import aiohttp

from sandbox.telegram_api.history import Json
from tests.telegram.scene import TelegramScene


# Long enough for the loop to stand still meanwhile, which others wait for.
AGAIN_SECONDS = 0.005


class Bringing:
    """Attributes:
    statuses: what the webhook answered.
    """

    def __init__(self, scene: TelegramScene) -> None:
        self._scene = scene
        self.statuses: list[int] = []

    async def run(self) -> None:
        """Until cancelled. Presses go beside what is said in a chat, as with Telegram."""
        async with asyncio.TaskGroup() as group:
            for kind in ("message", "callback_query"):
                group.create_task(self._all_of(kind))

    async def _all_of(self, kind: str) -> None:
        while True:
            await asyncio.sleep(AGAIN_SECONDS)
            waiting = [one for one in self._scene.telegram.updates.waiting if kind in one]
            if waiting and self._scene.telegram.methods.webhook["url"]:
                await self._bring(waiting[0])

    async def _bring(self, update: Json) -> None:
        if not self._scene.line.is_cut:
            with suppress(aiohttp.ClientError):
                self.statuses.append(await self._scene.telegram.deliver(update))
