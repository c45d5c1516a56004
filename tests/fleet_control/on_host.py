"""The command, run as on a host of claw-1."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import pytest

from fleet_control.cli import main
from tests.fleet_control.fleets import NOW
from tests.fleet_control.hasty_clock import HastyClock


@dataclass
class CommandEnd:
    """How the command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> Any:
        return json.loads(self.out)


@dataclass
class OnHost:
    """A host, by its environment."""

    environ: dict[str, str]
    capsys: pytest.CaptureFixture[str]

    async def types(self, *words: str) -> CommandEnd:
        # In a thread: it has an event loop of its own, and its servers live in ours.
        code = await asyncio.to_thread(main, words, self.environ, HastyClock(NOW))
        return CommandEnd(code, *self.capsys.readouterr())
