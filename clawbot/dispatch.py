"""From a judged ask to its run, and to a reply that somebody finishes."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from clawbot.ask import Ask
from clawbot.progress import Progress, Stage, progress
from clawbot.replies import Deploying, Reply, refused
from clawbot.tracking import Tracker
from fleet_control.caller import caller_field
from fleet_control.control_api import ControlApi
from fleet_control.error import ControlApiError, ControlApiRefused, OutcomeUnknown
from fleet_control.ledger import Entry, Run, fit, oldest, parse_request_id

log = logging.getLogger(__name__)

Show = Callable[[Reply], Awaitable[None]]


class Dispatcher:
    """`bot` is the name its key carries: the instance it rides, or a name of its own."""

    def __init__(self, api: ControlApi, tracker: Tracker, bot: str) -> None:
        self._api = api
        self._tracker = tracker
        self._bot = bot

    async def deploy(self, ask: Ask, begun: Deploying, reply_id: str, show: Show) -> Reply:
        """Ask for the deploy that `begun` announces, and follow it to its end."""
        entry = fit(
            Entry(
                request_id=str(ask.request_id(self._bot)),
                reply=reply_id,
                target=begun.progress.target,
                ami_override=begun.progress.image,
                caller=caller_field(ask.caller),
                requested_by=ask.requested_by,
            )
        )
        show = _never_failing(show, entry.request_id)
        try:
            taken = await self._api.deploy(entry)
        except ControlApiRefused as error:
            log.info("fleet.refused code=%s request_id=%s", error.code, entry.request_id)
            return await _shown(show, refused(str(error), error.code))
        except ControlApiError as error:
            log.warning("fleet.not_dispatched request_id=%s why=%s", entry.request_id, error)
            return await _shown(show, _not_dispatched(begun, error))
        log.info(
            "fleet.dispatched target=%s run=%s request_id=%s",
            entry.target,
            taken.run_id,
            entry.request_id,
        )
        queued = replace(begun.progress, stage=Stage.QUEUED, url=taken.url, run_id=taken.run_id)
        return await self._follow(Deploying(queued, ask.account), show)

    async def resume(
        self, platform: str, show_in: Callable[[str, str], Show | None]
    ) -> list[Awaitable[Reply]]:
        """What a predecessor left: a thing to await for each reply that is ours to finish.

        `show_in(channel, reply id)` gives how to change that reply, or None to leave it.
        Of two runs of one request only the older is the deploy.
        """
        runs = await self._api.runs(limit=100, unfinished=True)
        return [
            self._follow(
                Deploying(replace(progress(run), stage=Stage.ASKING), _asker(run)),
                _never_failing(show, run.request_id),
            )
            for run, channel in _left_by(runs, platform, self._bot)
            if (show := show_in(channel, run.reply)) is not None
        ]

    async def _follow(self, begun: Deploying, show: Show) -> Reply:
        if begun.progress.run_id is None:
            return await _shown(show, _untraceable(begun))
        await show(begun) if begun.progress.stage is Stage.QUEUED else None
        return await self._tracker.follow(begun, show)


def _never_failing(show: Show, request_id: str) -> Show:
    """A reply that can't be changed just now must not lose sight of the deploy."""

    async def shown(reply: Reply) -> None:
        try:
            await show(reply)
        except Exception:
            log.exception("fleet.reply_not_edited request_id=%s", request_id)

    return shown


def _left_by(runs: tuple[Run, ...], platform: str, bot: str) -> list[tuple[Run, str]]:
    found = []
    for run in runs:
        if not run.reply or not run.request_id or oldest(runs, run.request_id) != run:
            continue
        asked = parse_request_id(run.request_id)
        if (asked.platform, asked.bot) == (platform, bot):
            found.append((run, asked.channel))
    return found


def _asker(run: Run) -> str:
    return run.requested_by.partition(" ")[0]


def _not_dispatched(begun: Deploying, error: ControlApiError) -> Deploying:
    if isinstance(error, OutcomeUnknown):
        stage, advice = Stage.UNKNOWN, "Look at the runs before asking again."
    else:
        stage, advice = Stage.FAILED, "Nothing was started. Ask again when it answers."
    failed = replace(begun.progress, stage=stage, reason=str(error), advice=advice)
    return replace(begun, progress=failed)


def _untraceable(begun: Deploying) -> Deploying:
    told = Progress(
        Stage.UNKNOWN,
        begun.progress.target,
        begun.progress.image,
        begun.progress.url,
        reason="GitHub took the deploy but did not say which run it is.",
        advice="Look at the runs.",
    )
    return replace(begun, progress=told)


async def _shown(show: Show, reply: Reply) -> Reply:
    await show(reply)
    return reply
