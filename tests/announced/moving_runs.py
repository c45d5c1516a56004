"""GitHub's runs, which go on by a clock that a test turns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fleet_control.ledger import Entry
from tests.clock import TurnedClock
from tests.lambda_fn.small_github import SmallGitHub, job, moment, run_at

BEGINS_SECONDS = 15.0
LASTS_SECONDS = 60.0
FORGOTTEN_SECONDS = 30 * 24 * 3600.0
REASON = "The new host did not become healthy."
_TIMES = ("created_at", "run_started_at", "updated_at")


@dataclass
class MovingRuns:
    """Each run begins after a while, replaces its target, and ends as that fares.

    Attributes:
        lasts: seconds from a dispatch until its run ends, by its target.
        ill: the targets whose new host does not become healthy.
    """

    github: SmallGitHub
    clock: TurnedClock
    lasts: dict[str, float] = field(default_factory=dict)
    ill: set[str] = field(default_factory=set)
    _begun: dict[int, float] = field(default_factory=dict)
    _forgotten: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.github.hears = self._move_on

    def press(self, target: str) -> None:
        """Somebody presses the button on GitHub."""
        entry, runs = Entry(target=target), self.github.runs
        runs.insert(0, run_at(self.clock.now(), entry, 1000 + len(runs)))

    def forget(self) -> None:
        """Let all that was asked for be of long ago."""
        long_ago = moment(self.clock.now() - FORGOTTEN_SECONDS)
        for run in self.github.runs:
            run.update(dict.fromkeys(_TIMES, long_ago))
            self._forgotten.add(run["id"])

    def of(self, target: str) -> list[Mapping[str, Any]]:
        """The runs of that target which are not of long ago."""
        return [
            run
            for run in self.github.runs
            if run["id"] not in self._forgotten and f" {target} " in run["display_title"]
        ]

    def replies_to(self, target: str) -> list[str]:
        """Of each of these runs the id of the reply to whoever asked; empty where nobody is told
        so."""
        titles = [run["display_title"].split(" | ") for run in self.of(target)]
        return [reply.replace("-", "") for _, reply, *_ in titles]

    def _move_on(self, _path: str) -> None:
        for run in self.github.runs:
            begun = self._begun.setdefault(run["id"], self.clock.now())
            age = self.clock.now() - begun
            if run["id"] not in self._forgotten and age >= BEGINS_SECONDS:
                self._show(run, begun, age)

    def _show(self, run: dict[str, Any], begun: float, age: float) -> None:
        target = run["display_title"].split(" | ")[2]
        lasts = self.lasts.get(target, LASTS_SECONDS)
        ended, conclusion = age >= lasts, None
        began, now = moment(begun + BEGINS_SECONDS), moment(begun + min(age, lasts))
        run |= {"status": "in_progress", "updated_at": now if ended else began}
        if ended:
            conclusion = "failure" if target in self.ill else "success"
            run |= {"status": "completed", "conclusion": conclusion}
        times = {"started_at": began, "completed_at": now if ended else None}
        step = {"name": "Replace", "status": run["status"], "conclusion": conclusion, **times}
        moves = f"{target}: ami-0bbbbbbbbbbbbbbbb -> ami-0cccccccccccccccc"
        number = run["id"] * 10
        plan = {"started_at": began, "completed_at": began, "conclusion": "success"}
        host = {**times, "conclusion": conclusion, "steps": [step]}
        self.github.jobs[run["id"]] = [
            job(number, "plan", "completed", **plan),
            job(number + 1, moves, run["status"], **host),
        ]
        self.github.logs[number + 1] = f"##[error]{REASON}\n"
