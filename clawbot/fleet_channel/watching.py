"""Watches the fleet outside deploys, and tells its channel what is no longer as it should be.

What was told lies in the control table beside the lease: whichever bot has that goes on from there.
A report is written there as pending before it is sent, and as told after; a bot that is killed in
between leaves it to be told once more, and never to be lost.
"""

import logging

from clawbot.fleet_channel.channel import FleetChannel
from clawbot.replies import WatchReport
from fleet_control import watch, watch_report, watch_state
from fleet_control.announcement import LEASED_SECONDS, WatchLease
from fleet_control.clock import Clock
from fleet_control.control_api import ControlApi
from fleet_control.error import Ec2Error, FleetError
from fleet_control.fault import GRAVE
from fleet_control.finding import Finding
from fleet_control.fleet import Fleet
from fleet_control.status import FleetStatus
from fleet_control.watch_report import Report
from fleet_control.watch_state import WatchState

READ_EVERY_SECONDS = 60.0
# What the other watch of this process read just now need not be read again.
SHARED_SECONDS = 20.0
SENT_WITHIN_SECONDS = 60.0
# Who can't say it there leaves the watch for so long to a bot that can.
LEFT_SECONDS = LEASED_SECONDS + READ_EVERY_SECONDS

log = logging.getLogger(__name__)


class WatchUnsaid(FleetError):
    """The platform did not take a report."""


class Watcher:
    """One front's watch: one bot at a time has it for that front's channel, by a lease."""

    def __init__(
        self, api: ControlApi, fleet: Fleet, channel: FleetChannel, bot: str, clock: Clock
    ) -> None:
        """`bot` is our name, as the Control API knows it."""
        self._api = api
        self._fleet = fleet
        self._channel = channel
        self._bot = bot
        self._clock = clock
        self._trouble = ""

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await self._clock.sleep(await self._look_in_any_case())

    async def _look_in_any_case(self) -> float:
        """One look, whatever breaks; after how many seconds the next is due."""
        try:
            await self._look()
        except WatchUnsaid:
            log.exception("fleet.watch_unsaid channel=%s", self._channel.name)
            return LEFT_SECONDS
        except FleetError as error:
            self._unseen(error)
        except Exception:
            log.exception("fleet.watch_broke channel=%s", self._channel.name)
        else:
            self._trouble = ""
        return READ_EVERY_SECONDS

    def _unseen(self, error: FleetError) -> None:
        """What lasts is logged once."""
        if str(error) != self._trouble:
            log.warning("fleet.watch_unseen channel=%s why=%s", self._channel.name, error)
        self._trouble = str(error)

    async def _look(self) -> None:
        """One reading, where the watch is ours, and what is to be told by it."""
        lease: WatchLease | None = await self._api.watch(self._channel.name, self._bot)
        if not (lease and lease.mine):
            return
        kept, status = self._state(lease), await self._status()
        state = kept or WatchState()
        found = watch.findings(status, state.had_host) if status else ()
        if state.pending:
            log.info("fleet.watch_pending channel=%s", self._channel.name)
            state, lease = await self._tell(watch_report.report(state, found), state, lease)
        if lease is None or status is None or not watch.is_reading(status):
            return
        busy = watch.unsure(status, self._fleet.deploys.known)
        before = watch.with_hosts(watch.without_removed(state, status), status)
        after, report = watch.step(before, found, busy, status.taken)
        if kept and after.means(state):
            return
        lease = await self._write(after, lease)
        if lease and report:
            await self._tell(report, after, lease)

    def _state(self, lease: WatchLease) -> WatchState | None:
        """The one that was kept; None where nobody can read it, so that it is written over."""
        try:
            return watch_state.read(lease.state)
        except ValueError:
            log.exception("fleet.watch_forgotten channel=%s", self._channel.name)
            return None

    async def _status(self) -> FleetStatus | None:
        """The fleet, held against what the last deploys left; None where EC2 can't be asked, which
        keeps nothing back that is owed."""
        await self._fleet.deploys.look(SHARED_SECONDS)
        try:
            return await self._fleet.hosts()
        except Ec2Error as error:
            log.warning("fleet.watch_unseen channel=%s why=%s", self._channel.name, error)
            return None

    async def _write(self, state: WatchState, lease: WatchLease) -> WatchLease | None:
        """Keep this state in the place of the one that the lease has; None where another bot wrote
        meanwhile: what it wrote counts."""
        text = watch_state.write(state)
        kept = await self._api.watch(self._channel.name, self._bot, text, lease.version)
        return kept if kept.mine and kept.state == text else None

    async def _tell(
        self, report: Report, state: WatchState, lease: WatchLease
    ) -> tuple[WatchState, WatchLease | None]:
        """Say what is pending, and note that; WatchUnsaid where it can't be said."""
        grave = any(one.problem in GRAVE for one in (*report.wrong, *report.flapping))
        reply = WatchReport(
            wrong=report.wrong,
            well=report.well,
            flapping=report.flapping,
            still=report.still,
            calls=self._channel.calls if grave else (),
            taken=state.read,
        )
        try:
            await self._channel.message().show(reply, SENT_WITHIN_SECONDS)
        except Exception as error:
            raise WatchUnsaid(str(error)) from error
        log.info(
            "fleet.watch_told channel=%s wrong=%s well=%s flapping=%s",
            self._channel.name,
            _listed(report.wrong),
            _listed(report.well),
            _listed(report.flapping),
        )
        return state.sent, await self._write(state.sent, lease)


def _listed(findings: tuple[Finding, ...]) -> str:
    return ",".join(f"{one.of or 'fleet'}:{one.problem}" for one in findings) or "-"
