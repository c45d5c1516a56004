"""Blocking work beside the event loop, in a thread that no program waits for at its end."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import ParamSpec, TypeVar

NAME = "fleet-control work"
P = ParamSpec("P")
T = TypeVar("T")


async def in_daemon(work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    """What `work` returns or raises. One that hangs must not keep a program from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(settled: Callable[[], None]) -> None:
        if not done.done():  # nobody may wait any longer
            settled()

    def run() -> None:
        try:
            found = work(*args, **named)
        except Exception as error:  # noqa: BLE001  (it is raised again where it is awaited)
            settled = partial(done.set_exception, error)
        else:
            settled = partial(done.set_result, found)
        with suppress(RuntimeError):  # the loop may have gone meanwhile
            loop.call_soon_threadsafe(settle, settled)

    Thread(target=run, name=NAME, daemon=True).start()
    return await done
