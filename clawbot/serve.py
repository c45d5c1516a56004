"""`clawbot run`: every front that is configured, over one bot."""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Mapping
from functools import partial

from clawbot import log_line, missing
from clawbot.bot import Bot, assemble
from clawbot.deadline import END_WITHIN_SECONDS, end_within
from clawbot.front import BadSettings, Front, Unserved
from clawbot.patience import MENDED_AGAIN, WORK_AGAIN, Patience
from clawbot.preflight import lacking
from clawbot.readiness import Readiness, watching
from clawbot.settings import PREFIX, LogForm, Settings, load
from clawbot.watchdog import watched
from fleet_control.clock import SystemClock
from fleet_control.error import FleetError, SettingsError
from fleet_control.preflight import Check

# A front that served for so long was well: what stopped it then is a trouble of its own.
WELL_AFTER_SECONDS = 600.0

log = logging.getLogger(__name__)


def serve(environ: Mapping[str, str]) -> int:
    """0 once it is told to end; 1, with a sentence for each problem, where no wait can mend it."""
    try:
        settings = load(environ)
        fronts = configured(settings)
    except (SettingsError, BadSettings) as error:
        return _cannot(environ, getattr(error, "problems", [str(error)]))
    log_line.begin(settings.log, settings.secrets)
    try:
        return asyncio.run(_watched(environ, settings, fronts))
    except KeyboardInterrupt:
        return 0
    except (BadSettings, FleetError) as error:
        return _cannot(environ, [str(error)])
    except Exception:
        # Python's own trace would have no form of the log's, and whatever secret is in it.
        log.exception("clawbot.broken")
        return 1


def _cannot(environ: Mapping[str, str], problems: list[str]) -> int:
    """Who reads the log as JSON finds this there, too, whatever else is wrong with the settings."""
    if environ.get(f"{PREFIX}LOG") == LogForm.JSON:
        log_line.begin(LogForm.JSON)
        log.error("clawbot.cannot_serve why=%s", "\n".join(problems))
        return 1
    print("clawbot can't serve:", *problems, sep="\n  ", file=sys.stderr)  # noqa: T201  (the command's own output)
    return 1


def configured(settings: Settings) -> list[Front]:
    """A front for each platform with a token; BadSettings where there is none."""
    fronts = []
    if settings.discord_token:
        fronts.append(_discord())
    if settings.telegram_token:
        fronts.append(_telegram())
    if not fronts:
        raise BadSettings(_no_token(settings.instance))
    return fronts


def _no_token(instance: str) -> str:
    if not instance:
        return f"No front is configured: set {PREFIX}DISCORD_TOKEN or {PREFIX}TELEGRAM_TOKEN."
    return (
        f"The bot has no token of its own here: let the entry `{instance}` of nix/instances.json "
        "name one's secret as `clawbotDiscordTokenSecret` or `clawbotTelegramTokenSecret`, take "
        f"it in with `clawbot secrets take`, and deploy {instance}. The agent's is not the bot's."
    )


def _discord() -> Front:
    try:
        from clawbot.discord.run import Logins, run  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise BadSettings(_missing("DISCORD", "discord.py", "discord")) from error
    return Front("Discord", partial(run, logins=Logins()))


def _telegram() -> Front:
    try:
        from clawbot.telegram.run import run  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise BadSettings(_missing("TELEGRAM", "python-telegram-bot", "telegram")) from error
    return Front("Telegram", run)


def _missing(setting: str, library: str, extra: str) -> str:
    return f"{PREFIX}{setting}_TOKEN is set, but {missing(library, extra)}"


async def _watched(environ: Mapping[str, str], settings: Settings, fronts: list[Front]) -> int:
    async with watched(environ, SystemClock()) as tell:
        return await serving(settings, fronts, tell)


async def serving(
    settings: Settings,
    fronts: list[Front],
    tell: Callable[[str], None],
    end_after: float = END_WITHIN_SECONDS,
) -> int:
    """Serve until told to end, which may take `end_after` seconds; BadSettings where none of the
    fronts ever can be."""
    names, clock = [front.name for front in fronts], SystemClock()
    async with assemble(settings, clock) as bot, watching(names, tell, clock) as readiness:
        together = asyncio.ensure_future(side_by_side(bot, fronts, readiness))

        def stop() -> None:
            end_within(end_after)
            together.cancel()

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
        try:
            await together
        except asyncio.CancelledError:
            log.info("clawbot.ends")
    return 0


async def side_by_side(bot: Bot, fronts: list[Front], readiness: Readiness | None = None) -> None:
    """Serve every front, none of which notices how another fares, until cancelled.

    What is in flight is finished then. BadSettings where no front can ever be served.
    """
    names = [front.name for front in fronts]
    log.info("clawbot.serves fronts=%s", ",".join(names))
    told = readiness or Readiness(names, lambda _: None)
    # A `gather` that is cancelled ends with the first of them, and cuts the others short.
    async with asyncio.TaskGroup() as group:
        ended = [group.create_task(_front(front, bot, told)) for front in fronts]
    raise BadSettings("\n  ".join(task.result() for task in ended))


async def _front(front: Front, bot: Bot, readiness: Readiness) -> str:
    """Serve until cancelled; why it stopped, where going on makes no sense."""
    pauses = {patience: patience.pauses() for patience in (WORK_AGAIN, MENDED_AGAIN)}
    while True:
        began = bot.clock.monotonic()
        try:
            again = await _stopped(front, bot, readiness)
        except BadSettings as trouble:
            readiness.faulty(front.name, str(trouble))
            return str(trouble)
        if _told_to_end():
            raise asyncio.CancelledError  # what broke on its way out must not begin anew
        if bot.clock.monotonic() - began >= WELL_AFTER_SECONDS:
            pauses[again] = again.pauses()
        pause = next(pauses[again])
        level = logging.DEBUG if again is MENDED_AGAIN else logging.INFO
        log.log(level, "clawbot.front_again front=%s in=%s", front.name, pause)
        await bot.clock.sleep(pause)


def _told_to_end() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _stopped(front: Front, bot: Bot, readiness: Readiness) -> Patience:
    """Serve until it stops; how patiently it is tried again."""
    not_serving = partial(_not_serving, front.name, readiness)
    bot.preflight.ask(front.name, not_serving)
    try:
        await front.run(bot, readiness.of(front.name))
        log.warning("clawbot.front_ended front=%s", front.name)
    except BadSettings:
        raise
    except Unserved as trouble:
        if trouble.__cause__ is None:
            readiness.faulty(front.name, str(trouble))
            return MENDED_AGAIN
        log.warning("clawbot.front_away front=%s said=%s", front.name, trouble)
    except Exception as error:
        log.exception("clawbot.front_broken front=%s", front.name)
        readiness.faulty(front.name, f"it broke ({type(error).__name__}), see the journal.")
    finally:
        bot.preflight.ask(front.name, not_serving)
    readiness.hears(front.name, False)
    return WORK_AGAIN


async def _not_serving(front: str, readiness: Readiness) -> Check:
    return lacking(readiness.fault(front) or f"{front} is away: look again in a minute.")
