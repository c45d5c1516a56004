"""What all runs of the sandbox's GitHub share: repository, variables, environment, tokens."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from fleet_control.clock import Clock
from sandbox.actions import ActionStandIn
from sandbox.repository import Repository
from sandbox.run_record import RunOrigin


class ChangeSignal:
    """Wakes whoever waits for a condition to hold, whenever something has changed."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def tell(self) -> None:
        """Wake whoever waits, since something has changed."""
        for one in self._waiting:
            if not one.done():
                one.set_result(None)
        self._waiting.clear()

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.add(change)
            try:
                await change
            finally:
                self._waiting.discard(change)


def _set_event() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


def _ids() -> "count[int]":
    """Ids as large as GitHub's, which grow over all its repositories."""
    return count(19_000_000_000 + secrets.randbelow(10**6) * 1000)


@dataclass
class RunnerContext:
    """One repository with one workflow.

    Attributes:
        workflow: the file.
        repo: ``owner/name``.
        folder: where the jobs' folders are made.
        variables: the repository's `vars`.
        environ, path: what a machine of ours has; every step gets it.
        actions: by the name that `uses` has before its `@`.
        api_url, page_url: where the API and the web pages listen, once they do.
        listed_after: seconds until the list of runs shows a new one.
        tokens: those of the jobs that run now, each with its rights.
        goes_on: set, but where somebody wants that no step of any job ends.
        state: the workflow's, as GitHub has it; `disabled_manually` starts none.
    """

    workflow: Path
    repo: str
    repository: Repository
    folder: Path
    variables: Mapping[str, str]
    environ: Mapping[str, str]
    path: tuple[str, ...]
    actions: Mapping[str, ActionStandIn]
    clock: Clock
    api_url: str = ""
    page_url: str = ""
    listed_after: float = 0.0
    state: str = "active"
    tokens: dict[str, Mapping[str, str]] = field(default_factory=dict)
    goes_on: asyncio.Event = field(default_factory=_set_event)
    changes: ChangeSignal = field(default_factory=ChangeSignal)
    ids: "count[int]" = field(default_factory=_ids)

    @property
    def origin(self) -> RunOrigin:
        branch = self.repository.branch
        return RunOrigin(self.api_url, self.page_url, self.repo, self.workflow.name, branch)
