"""From a judged ask to its run, and to a reply that somebody finishes."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

from clawbot import halt
from clawbot.ask import Ask
from clawbot.askers_reply import AskersReply, told_key
from clawbot.call import AskerCall, Calls
from clawbot.living_reply import LivingReply, words
from clawbot.once import Once
from clawbot.patience import WORK_AGAIN
from clawbot.progress import Stage, lost
from clawbot.replies import Deploying, Reply, is_final, refused
from clawbot.speaker import DOUBTED
from clawbot.tracking import Tracker, found
from fleet_control.caller import is_operator
from fleet_control.clock import Clock
from fleet_control.control_api import ControlApi
from fleet_control.error import ControlApiError, ControlApiRefused, FleetError, OutcomeUnknown
from fleet_control.ledger import Entry, RequestId, Run, asked_by, parse_request_id
from fleet_control.run_title import caller_field, fit

# What the Control API's own policy says no with; every other refusal is something broken.
_NO = (403, 409)
# By then the list shows whatever was asked for before we began; a first reply says the same.
LOOK_FOR_SECONDS = 120.0

log = logging.getLogger(__name__)


class Deploys:
    """`bot` is the name its key carries: the instance it rides, or a name of its own."""

    def __init__(
        self, api: ControlApi, tracker: Tracker, bot: str, once: Once, clock: Clock
    ) -> None:
        self._api = api
        self._calls = Calls(api, once, clock)
        self._tracker = tracker
        self._bot = bot
        self._once = once
        self._clock = clock

    async def begin(self, ask: Ask, begun: Deploying, reply: LivingReply) -> Reply:
        """Ask for the deploy that `begun` announces in `reply`, and follow it to its end.

        One that is cut off is left to `resume`: a front that starts again is a successor, too.
        """
        entry = self._entry(ask, begun, reply.id)
        begun = replace(begun, asked_by=asked_by(entry), asked_at=self._clock.now())
        told = self._told_in(reply, entry, ours=True)
        with told.telling():
            try:
                asked = await told.show(await self._dispatched(begun, entry))
                if isinstance(asked, Deploying) and not is_final(asked):
                    return await told.follow(asked)
                return asked
            except Exception as error:  # noqa: BLE001  (the reply that stands must not stay)
                return await told.show(
                    replace(begun, progress=lost(begun.progress, words(error, ask.request_id)))
                )

    async def cancel(self, run_id: int, ask: Ask, reply: LivingReply) -> None:
        """Stop a deploy that has not started, for any operator; its own reply will tell how."""
        ask.audit(f"cancel run {run_id}")
        if not is_operator(ask.caller):
            told = refused("Only operators may cancel a deploy.", "not_operator")
        elif ask.doubted:
            told = DOUBTED
        else:
            told = await halt.cancel(self._api, run_id, ask)
        await reply.whisper(told)

    def _entry(self, ask: Ask, begun: Deploying, reply_id: str) -> Entry:
        return fit(
            Entry(
                request_id=str(ask.request_id),
                reply=reply_id,
                target=begun.progress.target,
                caller=caller_field(ask.caller),
                requested_by=ask.requested_by,
                operation=begun.progress.operation,
                override=begun.progress.override,
            ).naming(begun.progress.image_or_commit)
        )

    async def _dispatched(self, begun: Deploying, entry: Entry) -> Reply:
        """What to show once the Control API has answered."""
        self._tracker.foresight.look()
        try:
            taken = await self._api.deploy(entry)
        except ControlApiError as error:
            return _not_dispatched(begun, entry, error)
        log.info(
            "fleet.dispatched operation=%s target=%s image_or_commit=%s override=%s by=%s run=%s "
            "request_id=%s unproven_caller=%s",
            entry.operation or "deploy",
            entry.target,
            entry.image_or_commit or "newest",
            entry.override or "nothing",
            entry.requested_by,
            taken.run_id,
            entry.request_id,
            taken.unproven_caller,
        )
        queued = replace(
            begun.progress,
            stage=Stage.QUEUED,
            url=taken.url,
            run_id=taken.run_id,
            ahead=taken.ahead,
        )
        note = " ".join(filter(None, (begun.note, taken.note)))
        queued = self._tracker.foresight.queued(queued)
        followed = replace(begun, progress=queued, note=note)
        if taken.run_id is None:
            why = "GitHub took the deploy but did not say which run it is."
            return replace(followed, progress=lost(queued, why))
        return followed

    async def resume(
        self, platform: str, reply_in: Callable[[str, str, str], LivingReply | None]
    ) -> AsyncIterator[list[Awaitable[Reply]]]:
        """What a predecessor left: at each look at the ledger, a thing to await for each reply that
        is ours to finish and was not found before.

        `reply_in(channel, asked, reply id)` gives the reply to what was asked there, or None to
        leave it.
        """
        seen: set[tuple[str, ...]] = set()
        async for runs in self._looks():
            new = [run for run in _tellers(runs) if told_key(run) not in seen]
            seen.update(map(told_key, runs))
            left = [(run, self._ask_of(run, platform)) for run in new]
            yield [
                self._finish(run, reply)
                for run, ask in left
                if ask and (reply := reply_in(ask.channel, ask.asked, run.reply)) is not None
            ]

    async def _looks(self) -> AsyncIterator[tuple[Run, ...]]:
        """The ledger, for as long as what a predecessor asked for may still come to be listed."""
        begun = self._clock.monotonic()
        for pause in WORK_AGAIN.pauses():
            looked = self._clock.monotonic()
            try:
                runs = await self._api.runs(unfinished=True)
            except FleetError as error:
                log.warning("fleet.left_unseen why=%s", error)
            else:
                yield runs
                if looked - begun >= LOOK_FOR_SECONDS:
                    return
            await self._clock.sleep(pause)

    async def _finish(self, run: Run, reply: LivingReply) -> Reply:
        told = self._told_in(reply, run, ours=False)
        with told.telling():
            return await told.follow(found(run, _asker(run)))

    def _told_in(self, reply: LivingReply, of: Entry | Run, *, ours: bool) -> AskersReply:
        call = AskerCall(self._calls, of.request_id, ours)
        return AskersReply(reply, call, of, self._tracker, self._once)

    def tells(self, run: Run) -> bool:
        """Whether a reply of this process tells how this run goes, or told how it ended."""
        return told_key(run) in self._once

    def _ask_of(self, run: Run, platform: str) -> RequestId | None:
        """What the run's reply answers, if this bot began that and nobody here finishes it."""
        if not run.reply or not run.request_id or self.tells(run):
            return None
        ask = parse_request_id(run.request_id)
        return ask if (ask.platform, ask.bot) == (platform, self._bot) else None


def _tellers(runs: tuple[Run, ...]) -> list[Run]:
    """One run a reply, the oldest: whoever follows it finds the deploy of that ask."""
    told: dict[tuple[str, ...], Run] = {}
    for run in sorted(runs, key=lambda run: run.id):
        told.setdefault(told_key(run), run)
    return list(told.values())


def _asker(run: Run) -> str:
    return run.requested_by.partition(" ")[0]


def _not_dispatched(begun: Deploying, entry: Entry, error: ControlApiError) -> Reply:
    if isinstance(error, ControlApiRefused) and error.status in _NO:
        log.info("fleet.refused code=%s request_id=%s", error.code, entry.request_id)
        return refused(str(error), error.code)
    log.warning("fleet.not_dispatched request_id=%s why=%s", entry.request_id, error)
    if isinstance(error, OutcomeUnknown):
        return replace(begun, progress=lost(begun.progress, str(error)))
    failed = replace(
        begun.progress,
        stage=Stage.FAILED,
        reason=str(error),
        advice=f"Nothing began. {_when(error)}",
    )
    return replace(begun, progress=failed)


def _when(error: ControlApiError) -> str:
    after = error.retry_after if isinstance(error, ControlApiRefused) else None
    return f"Ask again in {after:.0f} seconds." if after else "Ask again when that is put right."
