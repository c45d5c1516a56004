"""Updates on their way to the bot: kept until an offset confirms them, given to one poller."""

import asyncio
from typing import Any

from sandbox.telegram_api.refusal import BotApiRefusal

TERMINATED = (
    "Conflict: terminated by other getUpdates request; "
    "make sure that only one bot instance is running"
)
WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)


class UpdateQueue:
    """`waiting` are the updates that no offset has confirmed yet, oldest first.

    Attributes:
        confirmed: ids that a later offset confirmed.
        handed_out: how many updates were handed out, the same one counted each time.
        allowed: the kinds the bot asked for last; None for the default.
    """

    def __init__(self, first_id: int = 100) -> None:
        self.waiting: list[dict[str, Any]] = []
        self.confirmed: list[int] = []
        self.handed_out = 0
        self.polls = 0
        self.allowed: list[str] | None = None
        self._next_id = first_id
        self._news = asyncio.Condition()
        self._poller: asyncio.Task[Any] | None = None
        self._ousted: set[asyncio.Task[Any]] = set()

    async def put(self, kind: str, what: dict[str, Any]) -> dict[str, Any] | None:
        """The update made of it, or None where the bot has not asked for its kind."""
        if self.allowed is not None and kind not in self.allowed:
            return None
        update = {"update_id": self._next_id, kind: what}
        self._next_id += 1
        async with self._news:
            self.waiting.append(update)
            self._news.notify_all()
        return update

    async def get(
        self, offset: int, limit: int, seconds: float, allowed: list[str] | None
    ) -> list[dict[str, Any]]:
        """One getUpdates. A newer one ends an older one, which is told so."""
        if allowed is not None:
            self.allowed = allowed or None
        self.polls += 1
        me = asyncio.current_task()
        assert me is not None  # noqa: S101  (only a task can wait here)
        async with self._news:
            if self._poller is not None:
                self._ousted.add(self._poller)
                self._news.notify_all()
            self._poller = me
            self._confirm(offset)
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait_for(lambda: self.waiting or me in self._ousted)
            except TimeoutError:
                pass
            finally:
                ousted = me in self._ousted
                self._ousted.discard(me)
                if self._poller is me:
                    self._poller = None
            if ousted:
                raise BotApiRefusal(409, TERMINATED)
            self.handed_out += len(self.waiting[:limit])
            return self.waiting[:limit]

    @property
    def polled(self) -> bool:
        """Whether somebody polls at this moment."""
        return self._poller is not None and self._poller not in self._ousted

    async def steal(self) -> None:
        """End the present long poll as another program's getUpdates would."""
        async with self._news:
            if self._poller is not None:
                self._ousted.add(self._poller)
                self._news.notify_all()

    def confirm_one(self, update: dict[str, Any]) -> None:
        """Take an update off the queue, which a webhook took."""
        self.confirmed.append(update["update_id"])
        self.waiting.remove(update)

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            offset = self._next_id + offset
        gone = [update for update in self.waiting if update["update_id"] < offset]
        self.confirmed += [update["update_id"] for update in gone]
        self.waiting = [update for update in self.waiting if update["update_id"] >= offset]
        if gone:
            self._news.notify_all()
