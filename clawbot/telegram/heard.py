"""Updates that were heard, until something was shown for them: then Telegram may forget them."""

import asyncio
from typing import NamedTuple

from fleet_control.clock import Clock

# How long a webhook may keep Telegram waiting: it gives up after a minute, and meanwhile it brings
# nothing else that was said in the same chat.
WEBHOOK_SECONDS = 20.0
WEBHOOK_CROWD_SECONDS = 1.0


class _Held(NamedTuple):
    first: bool
    over: asyncio.Event


class HeardUpdates:
    """Those that nothing was shown for yet, by their ids. A successor needs them if we die."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._unshown: dict[int, _Held] = {}

    def hold(self, update: int, *, first: bool) -> None:
        """`first` is whether an operator's account sent it."""
        self._unshown[update] = _Held(first, asyncio.Event())

    def shown(self, update: int) -> None:
        """Something was shown for it, or nothing will be."""
        if (held := self._unshown.pop(update, None)) is not None:
            held.over.set()

    def __contains__(self, update: int) -> bool:
        return update in self._unshown

    def webhook_seconds(self, update: int) -> float:
        """How long what comes behind it may be kept waiting: of a crowd only by one at a time."""
        held = self._unshown.get(update)
        if held is None or held.first:
            return WEBHOOK_SECONDS
        crowd = sum(not one.first for one in self._unshown.values())
        return WEBHOOK_CROWD_SECONDS if crowd == 1 else 0.0

    async def until_shown(self, update: int, within: float) -> None:
        """Wait for so many seconds at most, or until `close`."""
        held = self._unshown.get(update)
        if held is None or within <= 0:
            return
        waits = [
            asyncio.ensure_future(held.over.wait()),
            asyncio.ensure_future(self._clock.sleep(within)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()

    def close(self) -> None:
        """Nothing more will be shown; whoever waits for it need not any longer."""
        for held in self._unshown.values():
            held.over.set()
