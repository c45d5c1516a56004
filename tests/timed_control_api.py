"""A Control API whose deploys advance by the clock, and whose list of runs lags."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from fleet_control.ledger import Run, oldest
from tests.clawbot.control_api import job
from tests.clock import TurnedClock
from tests.discord.control import Control

MOVES = "claw-2: ami-0bbbbbbbbbbbbbbbb -> ami-0cccccccccccccccc"
PLANNED, STOPPED = job("plan"), job("plan", "failure")
BROKE = {"ok": False, "code": "github_unreachable", "error": "GitHub has trouble: HTTP 502"}
BEGINS_SECONDS, ENDS_SECONDS = 15.0, 40.0


@dataclass
class TimedControlApi(Control):
    """Each deploy succeeds, and of one ask's runs the first is the deploy.

    Attributes:
        lag: seconds from a dispatch until `runs` shows it.
        denied: how many more dispatches are taken, and answered as if GitHub had broken.
        dispatched: when each run was asked for, by its id.
    """

    clock: TurnedClock = field(default_factory=TurnedClock)
    lag: float = 0.0
    denied: int = 0
    dispatched: dict[int, float] = field(default_factory=dict)

    def forget(self) -> None:
        """As if nothing had ever been asked for."""
        self.runs.clear()
        self.asked.clear()
        self.dispatched.clear()
        self.told.clear()

    async def answer(self, request: web.Request) -> web.Response:
        answered = await super().answer(request)
        if self.denied and (await request.json())["action"] == "deploy":
            self.denied -= 1
            return web.json_response(BROKE, status=502)
        return answered

    def _answer(self, ask: dict[str, Any]) -> dict[str, Any]:
        now = self.clock.now()
        for run in self.runs:
            self._move_on(run, now - self.dispatched[run.id])
        self.unlisted = {id_ for id_, at in self.dispatched.items() if now - at < self.lag}
        answer = super()._answer(ask)
        if ask["action"] == "deploy":
            self.dispatched[self.runs[-1].id] = now
        return answer

    def _move_on(self, run: Run, age: float) -> None:
        deploy = oldest(self.runs, run.request_id)
        if age < BEGINS_SECONDS:
            return
        if deploy and deploy.id != run.id:
            reason = f"Run {deploy.id} is the deploy of this ask; this run has touched nothing."
            self.change(
                run.id, status="completed", conclusion="failure", jobs=(STOPPED,), reason=reason
            )
        elif age < ENDS_SECONDS:
            self.running(run.id, PLANNED, job(MOVES, None, "in_progress"))
        else:
            self.done(run.id, PLANNED, job(MOVES))
