"""From a judged ask to its run, and to a reply that somebody finishes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

from clawbot import halt
from clawbot.ask import Ask
from clawbot.call import AskerCall, Calls
from clawbot.living_reply import LivingReply, NoPlace, words
from clawbot.once import Once
from clawbot.patience import WORK_AGAIN
from clawbot.progress import Stage, lost, progress
from clawbot.replies import Deploying, Notice, Reply, is_final, refused
from clawbot.speaker import DOUBTED
from clawbot.tracking import Tracker
from fleet_control.caller import is_operator
from fleet_control.clock import Clock
from fleet_control.control_api import ControlApi
from fleet_control.error import ControlApiError, ControlApiRefused, FleetError, OutcomeUnknown
from fleet_control.ledger import Entry, RequestId, Run, parse_request_id
from fleet_control.run_title import caller_field, fit

# What the Control API's own policy says no with; every other refusal is something broken.
_NO = (403, 409)
# By then the list shows whatever was asked for before we began; a first reply says the same.
LOOK_FOR_SECONDS = 120.0
# So long what ended is in the ledger's list, too, for a process that comes after this one.
END_WITHIN_SECONDS = 24 * 3600.0

log = logging.getLogger(__name__)

Show = Callable[[Reply], Awaitable[None]]


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
        show = _never_failing(
            reply, AskerCall(self._calls, entry.request_id, ours=True), self._clock
        )
        self._once.first("told", _address(entry))
        try:
            return await self._begin(begun, entry, show)
        except asyncio.CancelledError:
            self._once.forget("told", _address(entry))
            raise
        except Exception as error:  # noqa: BLE001  (the reply that stands must not stay)
            ended = replace(begun, progress=lost(begun.progress, words(error, ask.request_id)))
            return await _shown(show, ended)

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

    async def _begin(self, begun: Deploying, entry: Entry, show: Show) -> Reply:
        self._tracker.foresight.look()
        try:
            taken = await self._api.deploy(entry)
        except ControlApiError as error:
            return await _shown(show, _not_dispatched(begun, entry, error))
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
            return await _shown(show, replace(followed, progress=lost(queued, why)))
        await show(followed)
        return await self._tracker.follow(followed, show)

    async def resume(
        self, platform: str, reply_in: Callable[[str, str, str], LivingReply | None]
    ) -> AsyncIterator[list[Awaitable[Reply]]]:
        """What a predecessor left: at each look at the ledger, a thing to await for each reply that
        is ours to finish and was not found before.

        `reply_in(channel, asked, reply id)` gives the reply to what was asked there, or None to
        leave it.
        """
        found: set[str] = set()
        async for runs in self._looks():
            new = [run for run in _tellers(runs) if _address(run) not in found]
            found.update(map(_address, runs))
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

    def _finish(self, run: Run, reply: LivingReply) -> Awaitable[Reply]:
        # As if nothing had been shown, so that whatever is there now is a change.
        begun = Deploying(replace(progress(run), stage=Stage.ASKING), _asker(run))
        call = AskerCall(self._calls, run.request_id, ours=False)
        return self._tracker.follow(begun, _never_failing(reply, call, self._clock))

    def tells(self, run: Run) -> bool:
        """Whether a reply of this process tells how this run goes, or told how it ended."""
        return ("told", _address(run)) in self._once

    def _ask_of(self, run: Run, platform: str) -> RequestId | None:
        """What the run's reply answers, if this bot began that and nobody here finishes it."""
        if not run.reply or not run.request_id or self.tells(run):
            return None
        ask = parse_request_id(run.request_id)
        return ask if (ask.platform, ask.bot) == (platform, self._bot) else None


def _never_failing(reply: LivingReply, call: AskerCall, clock: Clock) -> Show:
    """A reply that can't be changed just now must not lose sight of the deploy.

    After its end nothing comes that would be shown: that waits until the place for it is back.
    """
    why = ""

    async def shown(what: Reply) -> None:
        nonlocal why
        until = clock.monotonic() + END_WITHIN_SECONDS
        for pause in WORK_AGAIN.pauses():
            try:
                await _show(reply, what, call)
            except Exception as error:
                if why != (why := str(error) or type(error).__name__):
                    log.warning(
                        "fleet.reply_not_edited request_id=%s why=%s",
                        call.request_id,
                        why,
                        exc_info=None if isinstance(error, FleetError) else error,
                    )
                if isinstance(error, NoPlace) and isinstance(what, Notice):
                    return  # nothing began, which what stands there tells by itself
            else:
                why = ""
                return
            if not is_final(what) or clock.monotonic() > until:
                return
            await clock.sleep(pause)

    return shown


async def _show(reply: LivingReply, what: Reply, call: AskerCall) -> None:
    if isinstance(what, Deploying) and what.progress.over:
        await reply.end(what, call)
    else:
        await reply.show(what)


def _tellers(runs: tuple[Run, ...]) -> list[Run]:
    """One run a reply, the oldest: whoever follows it finds the deploy of that ask."""
    told: dict[str, Run] = {}
    for run in sorted(runs, key=lambda run: run.id):
        told.setdefault(_address(run), run)
    return list(told.values())


def _address(entry: Entry | Run) -> str:
    """Which reply is meant: one ask may have two, where it was heard again after a crash."""
    return f"{entry.request_id} {entry.reply}"


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


async def _shown(show: Show, reply: Reply) -> Reply:
    await show(reply)
    return reply
