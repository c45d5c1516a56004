"""Updates that were heard, until something was shown for them: then Telegram may forget them."""

import asyncio

from fleet_control.clock import Clock


class HeardUpdates:
    """Those that nothing was shown for yet, by their ids. A successor needs them if we die."""

    def __init__(self) -> None:
        self._unshown: dict[int, asyncio.Event] = {}

    def hold(self, update: int) -> None:
        self._unshown[update] = asyncio.Event()

    def shown(self, update: int) -> None:
        """Something was shown for it, or nothing will be."""
        if (event := self._unshown.pop(update, None)) is not None:
            event.set()

    def __contains__(self, update: int) -> bool:
        return update in self._unshown

    async def until_shown(self, update: int, clock: Clock, within: float) -> bool:
        """Whether something was shown for it, in so many seconds."""
        if (event := self._unshown.get(update)) is None:
            return True
        waiting = [
            asyncio.ensure_future(event.wait()),
            asyncio.ensure_future(clock.sleep(within)),
        ]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
        return event.is_set()
