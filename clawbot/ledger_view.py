"""What the ledger shows to whoever asks: the last deploys, and one of them by its run's id.

A deploy's own reply is another: that one calls its asker, and outlives this process.
"""

import logging
from dataclasses import replace

from clawbot.commands import command_of
from clawbot.living_reply import LivingReply
from clawbot.page import Page
from clawbot.replies import Deploying, HistoryReport, Notice, Reply, refused
from clawbot.requests import ShowRun
from clawbot.tracking import Tracker
from fleet_control import history
from fleet_control.caller import is_target
from fleet_control.clock import Clock
from fleet_control.control_api import ControlApi
from fleet_control.error import ControlApiRefused
from fleet_control.ledger import asked_by, seconds
from fleet_control.line import code

# Each is edited for as long as its deploy runs, and anybody may ask for one.
MOST_LIVING = 20
LIVING = "I keep this up to date until the deploy ends; should I restart before, it stays as it is."
TOO_MANY = f"I keep {MOST_LIVING} of these up to date already, so this one stays as it is."
_NAMED = 8
_NONE_SUCH = ("unknown_run", "bad_request")

log = logging.getLogger(__name__)


class LedgerView:
    """Answers what is asked of the ledger."""

    def __init__(self, api: ControlApi, tracker: Tracker, clock: Clock) -> None:
        self._api = api
        self._tracker = tracker
        self._clock = clock
        self._living = 0

    async def history(self, target: str, number: int) -> Reply:
        """A page of the last deploys, of a target where one is named; pages count from 1."""
        if target and not is_target(target):
            return Notice((f"{code(target)} is no instance's id, and not `all`.",))
        page = await self._api.history(target, number)
        rows = Page(history.rows(page), page.page - 1, page.pages, number - 1)
        return HistoryReport(rows, target, history.beside(page, target))

    async def run(self, run_id: int, reply: LivingReply) -> Reply:
        """Show one deploy, until it is over; nobody is called then."""
        if not run_id:
            return await reply.answer(await self._which())
        try:
            run = await self._api.run(run_id)
        except ControlApiRefused as error:
            if error.code not in _NONE_SUCH:
                raise
            none = refused(f"There is no deploy with the run id {run_id}.", "unknown_run")
            return await reply.answer(none)
        seen = Deploying(
            self._tracker.foresight.seen(run), asked_by=asked_by(run), asked_at=seconds(run.created)
        )
        if seen.progress.over:
            return await reply.answer(seen)
        if self._living >= MOST_LIVING:
            return await reply.answer(replace(seen, note=TOO_MANY))
        self._living += 1
        try:
            return await self._follow(replace(seen, note=LIVING), reply)
        finally:
            self._living -= 1

    async def _follow(self, begun: Deploying, reply: LivingReply) -> Deploying:
        async def show(what: Deploying) -> None:
            try:
                await reply.show(replace(what, note="") if what.progress.over else what)
            except Exception as error:  # noqa: BLE001  (what comes later shows this as well)
                log.warning("fleet.view_not_edited run=%s why=%s", what.progress.run_id, error)

        await reply.show(begun)
        return await self._tracker.follow(begun, show)

    async def _which(self) -> Notice:
        now = self._clock.now()
        runs = await self._api.runs(_NAMED)
        newest = (f"`{run.id}`: {history.brief(run, now)}" for run in runs[:_NAMED])
        return Notice((f"Say which: `/fleet {command_of(ShowRun()).syntax}`.", *newest))
