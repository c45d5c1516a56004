"""The Control API's client: what it can be asked, and what its answers mean."""

import logging
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from fleet_control import api_answer
from fleet_control.announcement import Announcement, ReplyLife, WatchLease
from fleet_control.api_answer import Dispatched, Lost, Stopping
from fleet_control.clock import Clock
from fleet_control.error import (
    ControlApiDown,
    ControlApiError,
    ControlApiRefused,
    OutcomeUnknown,
)
from fleet_control.freeze import Freeze, one_line
from fleet_control.github import PER_PAGE
from fleet_control.history import MOST_PAGES, HistoryPage
from fleet_control.holds import Holds
from fleet_control.ledger import Entry, Run, oldest
from fleet_control.preflight import Check
from fleet_control.registry_source import RegistryRead
from fleet_control.signed_calls import DEADLINE_SECONDS, SignedCalls

# GitHub lists a new run some seconds after it took the dispatch; 4 to 12 were seen.
LISTED_WITHIN_SECONDS = 15.0
# Pauses before the looks at the list, first where an answer is lost, then before an outcome is
# called unknown; all of it within the two minutes for which a bot's first reply speaks.
LOOK_AFTER_SECONDS = (5.0, 10.0)
LOOK_AGAIN_AFTER_SECONDS = (5.0, 10.0, 20.0)

log = logging.getLogger(__name__)


class ControlApi:
    """The client of the Control API: deploys, runs, the registry, cancels, stops and freezes.

    Every method raises ControlApiRefused (it said no), or ControlApiDown (nothing was done);
    `deploy` also OutcomeUnknown. `deadline` is seconds for each call.
    """

    def __init__(
        self,
        url: str,
        token: str,
        access_key: str,
        secret_key: str,
        region: str,
        clock: Clock,
        deadline: float = DEADLINE_SECONDS,
    ) -> None:
        self._calls = SignedCalls(url, token, access_key, secret_key, region, deadline)
        self._clock = clock
        # Of two processes of one bot the younger tells; this is no measure of time between them.
        self._began = int(clock.now() * 1000)
        self._is_elder = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._calls.close()

    @property
    def ahead(self) -> float:
        """By how many seconds this machine's clock is ahead of the last answer's."""
        return self._calls.ahead

    async def deploy(self, entry: Entry) -> Dispatched:
        """Ask for a deploy, at most twice.

        A dispatch is not idempotent: where its answer is lost, or names no run, the runs of this
        request id are asked for. OutcomeUnknown when it can't be cleared up whether there is one.
        """
        try:
            taken = await self._dispatch(entry)
        except OutcomeUnknown:
            if found := await self._found(entry):
                return found
            raise
        if taken.run_id is not None:
            return taken
        found = await self._found(entry)
        if found is None:
            return taken
        return replace(found, unproven_caller=taken.unproven_caller, note=taken.note)

    async def _dispatch(self, entry: Entry) -> Dispatched:
        ask = {"action": "deploy", **entry.inputs, "caller": entry.caller or None}
        try:
            return api_answer.dispatched(await self._calls.ask(ask))
        except Lost as lost:
            log.warning("fleet.dispatch_lost request_id=%s", entry.request_id)
            return await self._taken(entry, lost) or await self._again(ask, lost)

    async def run(self, run_id: int) -> Run:
        ask = {"action": "run", "run_id": run_id}
        wanted = {"revisions": True, "last_words": True, "operations": True}
        return api_answer.run(await self._calls.asked({**ask, **wanted}))

    async def runs(
        self, limit: int = PER_PAGE, request_id: str = "", *, unfinished: bool = False
    ) -> tuple[Run, ...]:
        """Newest first; `unfinished` adds those that ended within a day.

        A run that can't be read is left out, unless an ask's own runs are looked for: which of
        them there are is not to be guessed.
        """
        ask: dict[str, Any] = {
            "action": "runs",
            "limit": limit,
            "revisions": True,
            "operations": True,
        }
        if request_id:
            ask["request_id"] = request_id
        if unfinished:
            ask["unfinished"] = True
        return api_answer.runs(await self._calls.asked(ask), every=bool(request_id))

    async def history(self, target: str = "", page: int = 1) -> HistoryPage:
        """That page of the newest runs, or of those that concern the target, newest first and with
        their jobs; the nearest that there is."""
        ask = {"action": "history", "target": target, "page": min(max(page, 1), MOST_PAGES)}
        try:
            return api_answer.history(await self._calls.asked(ask))
        except ControlApiRefused as error:
            if error.code != "bad_request":
                raise
            raise ControlApiDown(
                "The Control API is older than this and can't tell the history. "
                "Apply `tofu/control`."
            ) from error

    async def registry(self) -> RegistryRead:
        answer = await self._calls.asked({"action": "registry"})
        text, version = answer.get("registry"), answer.get("version")
        if not isinstance(text, str) or not isinstance(version, str):
            raise ControlApiDown("The Control API answered without a registry.")
        revisions, ends = api_answer.revisions(answer), answer.get("token_ends")
        return RegistryRead(
            text, version, revisions, float(ends) if isinstance(ends, int | float) else None
        )

    async def preflight(self) -> tuple[str, tuple[Check, ...]]:
        """Who we are to it, as in `chat:clawbot`, and what it sees of whether a deploy would
        work."""
        answer = await self._calls.asked({"action": "preflight"})
        return str(answer.get("signer", "")), api_answer.checks(answer)

    async def cancel(self, run_id: int, requested_by: str, request_id: str = "") -> str:
        """Stop a deploy of which no job has started; its words for that. `request_id` is the ask's,
        for the Control API's log, here and below."""
        answer = await self._calls.asked(
            {"action": "cancel", "run_id": run_id, "requested_by": requested_by}, request_id
        )
        return str(answer.get("message", "cancelled"))

    async def holds(self) -> Holds:
        return api_answer.holds(await self._calls.asked({"action": "holds"}))

    async def freeze(
        self, seconds: int, reason: str, requested_by: str, request_id: str = ""
    ) -> tuple[Freeze, Freeze | None]:
        """Let no deploy begin for so long; the freeze that holds then, and the one before it."""
        # A chat's message may be longer than a request of the API.
        ask = {"action": "freeze", "seconds": seconds, "reason": one_line(reason)}
        return api_answer.freeze(
            await self._calls.asked({**ask, "requested_by": requested_by}, request_id)
        )

    async def unfreeze(self, requested_by: str, request_id: str = "") -> Freeze | None:
        """End the freeze; the one that held, if one did."""
        ask = {"action": "unfreeze", "requested_by": requested_by}
        return api_answer.lifted(await self._calls.asked(ask, request_id))

    async def stop(self, requested_by: str, request_id: str = "") -> Stopping:
        """Have the roll under way begin no further host."""
        return api_answer.stopping(
            await self._calls.asked({"action": "stop", "requested_by": requested_by}, request_id)
        )

    async def told(self, request_id: str) -> str | None:
        """The end that the asker was told of last, empty for none; None where nobody knows."""
        end = (await self._calls.asked({"action": "told", "request_id": request_id})).get("told")
        return end if isinstance(end, str) else None

    async def note_told(self, request_id: str, end: str) -> None:
        """The asker was told that it ended so, a word."""
        await self._calls.asked({"action": "told", "request_id": request_id, "end": end})

    async def living(self, request_id: str) -> ReplyLife | None:
        """Say that our reply to this ask lives, unless it was given up before; None where a younger
        process of our bot keeps it."""
        answer = await self._as_process({"action": "living", "request_id": request_id})
        return None if answer.get("younger") is True else api_answer.reply_life(answer)

    async def announce(
        self,
        run_id: int,
        channel: str,
        bot: str,
        message: str = "",
        end: str = "",
        *,
        answered: bool = False,
    ) -> Announcement:
        """Take or renew the lease of telling this channel how a deploy goes, and note in which
        message it stands, which end was told there and that the dead reply was answered; who has
        the lease then."""
        ask = {"action": "announce", "run_id": run_id, "channel": channel, "bot": bot}
        noted = {"message": message, "end": end, "answered": answered}
        said = {name: one for name, one in noted.items() if one}
        return api_answer.announcement(await self._as_process({**ask, **said}))

    async def watch(
        self, channel: str, bot: str, state: str | None = None, version: int = 0
    ) -> WatchLease:
        """Take or renew the lease of watching the fleet for this channel; with a `state`, write
        that in the place of the one of this version. What stands then."""
        ask: dict[str, Any] = {"action": "watch", "channel": channel, "bot": bot}
        if state is not None:
            ask |= {"state": state, "version": version}
        return api_answer.watch_lease(await self._as_process(ask))

    async def _as_process(self, ask: dict[str, Any]) -> dict[str, Any]:
        """The answer to what one process of a bot is let do at a time; that a younger one does it
        is logged once."""
        answer = await self._calls.asked({**ask, "began": self._began})
        if answer.get("younger") is True and not self._is_elder:
            self._is_elder = True
            log.warning("fleet.younger_process_at_work action=%s", ask["action"])
        return answer

    async def _taken(self, entry: Entry, lost: Lost) -> Dispatched | None:
        """The run of a deploy whose answer was lost; None once it would be listed if it were."""
        if not entry.request_id:
            raise _unknown(lost) from lost
        for pause in LOOK_AFTER_SECONDS:
            await self._clock.sleep(pause)
            try:
                found = await self._listed(entry)
            except ControlApiError as error:
                raise _unknown(lost) from error
            if found is not None:
                return found
        return None

    async def _found(self, entry: Entry) -> Dispatched | None:
        """The run of a deploy that was taken, or may have been, once GitHub lists it."""
        for pause in LOOK_AGAIN_AFTER_SECONDS if entry.request_id else ():
            await self._clock.sleep(pause)
            try:
                found = await self._listed(entry)
            except ControlApiError as error:
                log.warning("fleet.run_unseen request_id=%s why=%s", entry.request_id, error)
                continue
            if found is not None:
                return found
        return None

    async def _listed(self, entry: Entry) -> Dispatched | None:
        run = oldest(await self.runs(request_id=entry.request_id), entry.request_id)
        if run is None:
            return None
        return Dispatched(run.id, run.url, f"deploy queued for {entry.target}")

    async def _again(self, ask: dict[str, Any], lost: Lost) -> Dispatched:
        try:
            return api_answer.dispatched(await self._calls.ask(ask))
        except Lost as again:
            raise _unknown(again) from again
        except ControlApiError as error:
            # Its no is to the second ask; the first may still come to a run.
            raise _unknown(lost, f" Asked once more: {error}") from error


def _unknown(lost: Lost, more: str = "") -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{lost}{more} I can't confirm whether the deploy began: "
        "look at the runs before asking again."
    )
