"""A GitHub whose runs go on by a clock that a test turns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from fleet_control.ledger import Entry
from tests.clock import TurnedClock
from tests.lambda_fn.small_github import SmallGitHub, job, run_of

BEGINS_SECONDS = 15.0
FORGOTTEN_DAYS = 30
LASTS_SECONDS = 60.0
DAY_SECONDS = 24 * 3600.0
REASON = "The new host did not become healthy."


@dataclass
class MovingGitHub(SmallGitHub):
    """Each run begins after a while, replaces its target, and ends as that fares.

    Attributes:
        lasts: seconds from a dispatch until its run ends, by its target.
        ill: the targets whose new host does not become healthy.
    """

    clock: TurnedClock = field(default_factory=TurnedClock)
    lasts: dict[str, float] = field(default_factory=dict)
    ill: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.hears = self._move_on

    def press(self, target: str) -> None:
        """Somebody presses the button on GitHub."""
        self.runs.insert(0, self._begun(Entry(target=target)))

    def forget(self) -> None:
        """Let all that was asked for be of long ago."""
        for run in self.runs:
            run |= self._times(self.clock.now() - FORGOTTEN_DAYS * DAY_SECONDS)

    def runs_of(self, target: str) -> list[Mapping[str, Any]]:
        """The runs of that target which are not of long ago."""
        since = _moment(self.clock.now() - DAY_SECONDS)
        return [
            run
            for run in self.runs
            if f" {target} " in run["display_title"] and run["created_at"] > since
        ]

    async def _dispatch(self, request: web.Request) -> web.Response:
        answer = await super()._dispatch(request)
        self.runs[0] |= self._times(self.clock.now())
        return answer

    def _begun(self, entry: Entry) -> dict[str, Any]:
        return run_of(entry, 1000 + len(self.runs), **self._times(self.clock.now()))

    def _times(self, begun: float) -> dict[str, Any]:
        names = ("created_at", "run_started_at", "updated_at")
        return {"dispatched": begun, **dict.fromkeys(names, _moment(begun))}

    def _move_on(self, _path: str) -> None:
        for run in self.runs:
            age = self.clock.now() - run["dispatched"]
            if run["status"] != "completed" and age >= BEGINS_SECONDS:
                self._show(run, age)

    def _show(self, run: dict[str, Any], age: float) -> None:
        target, begun = run["display_title"].split(" | ")[2], run["dispatched"]
        lasts = self.lasts.get(target, LASTS_SECONDS)
        ended, conclusion = age >= lasts, None
        at = begun + (lasts if ended else BEGINS_SECONDS)
        run |= {"status": "in_progress", "updated_at": _moment(at)}
        if ended:
            conclusion = "failure" if target in self.ill else "success"
            run |= {"status": "completed", "conclusion": conclusion}
        began = {"started_at": _moment(begun + BEGINS_SECONDS)}
        host = began | {"completed_at": _moment(at)} if ended else began
        steps = [{"name": "Replace", "status": run["status"], "conclusion": conclusion, **host}]
        moves = f"{target}: ami-0bbbbbbbbbbbbbbbb -> ami-0cccccccccccccccc"
        number = run["id"] * 10
        plan = job(number, "plan", "completed", conclusion="success", **began)
        plan |= {"completed_at": began["started_at"]}
        self.jobs[run["id"]] = [
            plan,
            job(number + 1, moves, run["status"], conclusion=conclusion, steps=steps, **host),
        ]
        self.logs[number + 1] = f"##[error]{REASON}\n"


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
