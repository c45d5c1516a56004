"""A program that runs beside others in this process, and every task that it starts."""

import asyncio
import contextvars
from collections.abc import Coroutine
from typing import Any

_TASKS: contextvars.ContextVar["list[asyncio.Task[Any]]"] = contextvars.ContextVar("tasks")


class ProgramTasks:
    """Starts `program`, and records each task that comes of it."""

    def __init__(self, program: Coroutine[None, None, None]) -> None:
        self._tasks: list[asyncio.Task[Any]] = []
        context = contextvars.copy_context()
        context.run(_TASKS.set, self._tasks)
        loop = asyncio.get_running_loop()
        loop.set_task_factory(_noting)
        self.task = loop.create_task(program, context=context)

    @property
    def is_over(self) -> bool:
        return all(task.done() for task in self._tasks)

    def end(self) -> None:
        """As a kill does, in the middle of whatever it is at."""
        for task in self._tasks:
            task.cancel()


def _noting(
    loop: asyncio.AbstractEventLoop,
    program: Any,
    context: contextvars.Context | None = None,
    **more: Any,
) -> asyncio.Task[Any]:
    task = asyncio.Task(program, loop=loop, context=context, **more)
    own = (context or contextvars.copy_context()).get(_TASKS)
    if own is not None:
        own.append(task)
    return task
