"""Long polling that shares a token with care: it deletes no webhook and fights no other poller.

python-telegram-bot's own begins by deleting the webhook, whoever set it, and answers a conflict by
asking again for ever.
"""

import logging
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from telegram import Bot, Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from clawbot.front import Unserved
from clawbot.living_reply import BEGUN_WITHIN_SECONDS
from clawbot.patience import CALL_AGAIN, WORK_AGAIN
from clawbot.readiness import FrontReadiness
from clawbot.telegram.conflict import SHORTEST_PAUSE_SECONDS, PollConflicts
from clawbot.telegram.heard import HeardUpdates
from clawbot.telegram.outbox import seconds
from fleet_control.clock import Clock

ALLOWED = ("message", "callback_query", "my_chat_member")
POLL_SECONDS = 30
# A token that was taken before is called wrong once it was refused so often in a row, by getMe too.
REFUSALS_BELIEVED = 4
REFUSED_PAUSE_SECONDS = 15.0
# Telegram holds a poll that brings nothing: one that is answered at once, by whatever stands before
# it, is no reason to ask again at once.
EMPTY_POLL_SECONDS = 1.0
# How many Telegram shows at a time; so many of them may be kept back, or nobody else is heard.
AT_A_TIME = 100
HELD_MOST = 50
# Telegram shows the same ones again at once, and fewer to whoever asks too often.
LOOK_AGAIN_SECONDS = 1.0
# After a week of silence Telegram begins to count anew, at random.
FORGET_OFFSET_AFTER_SECONDS = 6 * 86400.0
TOKEN_REFUSED = "Telegram does not know the token. Put the right one into CLAWBOT_TELEGRAM_TOKEN."  # noqa: S105  (words)
WEBHOOK_SET = (
    "A webhook is set for this bot ({host}), so I can't poll, and I don't delete what somebody "
    "else set. Delete it, or serve it with CLAWBOT_TELEGRAM_WEBHOOK_URL."
)
TWO_POLLERS = (
    "Another program polls with my Telegram token. I pause for {minutes} min; "
    "if it is not the host I replace, stop it."
)
OTHER_POLLER = "Another program polls with my Telegram token: stop it."

log = logging.getLogger(__name__)


class Poller:
    """Hands each update to `take`, which must be quick; once it is not among those `heard` without
    anything shown for them, the next poll confirms it. It is not kept back for longer than an ask
    is worth answering.

    `telegram` asks for updates by `UpdatesRequest`, so that none keeps the others away; `say` is
    told, in a sentence, what people should know, and `told` how it goes. What somebody has to mend
    is waited out.
    """

    def __init__(
        self,
        telegram: Bot,
        clock: Clock,
        take: Callable[[Update], Awaitable[None]],
        heard: HeardUpdates,
        say: Callable[[str], Awaitable[None]],
        conflicts: PollConflicts,
        told: FrontReadiness,
        poll_seconds: int = POLL_SECONDS,
    ) -> None:
        self._telegram = telegram
        self._clock = clock
        self._take = take
        self._heard = heard
        self._say = say
        self._conflicts = conflicts
        self._poll_seconds = poll_seconds
        self._told = told
        self._offset: int | None = None
        self._taken: dict[int, float] = {}  # not confirmed, and when they are at the latest
        self._heard_at = clock.monotonic()
        self._failures = self._refusals = 0
        self._pauses = CALL_AGAIN.pauses()
        self._mends = WORK_AGAIN.pauses()
        self._webhook_free = False

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                pause = await self._once()
            except Unserved as trouble:
                self._told.faulty(str(trouble))
                pause = next(self._mends)
            if pause > 0:
                await self._clock.sleep(pause)

    async def _once(self) -> float:
        """One poll; seconds until the next. Unserved where somebody has to mend something."""
        began = self._clock.monotonic()
        try:
            if not self._webhook_free:
                await self._look_for_webhook()
            updates = await self._poll()
        except Conflict as error:
            return await self._conflicting(error)
        except InvalidToken:
            return await self._refused()
        except RetryAfter as error:
            return max(EMPTY_POLL_SECONDS, seconds(error.retry_after))
        except TelegramError as error:
            return self._failed(str(error))
        except Unserved:
            raise
        except Exception as error:
            log.exception("telegram.answer_unreadable offset=%s", self._offset)
            return self._failed(type(error).__name__)
        self._failures = self._refusals = 0
        self._told.hears(True)
        self._pauses, self._mends = CALL_AGAIN.pauses(), WORK_AGAIN.pauses()
        brought = await self._take_new(updates)
        return 0.0 if brought else began + EMPTY_POLL_SECONDS - self._clock.monotonic()

    async def _take_new(self, updates: tuple[Update, ...]) -> bool:
        """Take what was not taken before, and confirm what can be; whether there was either.

        Telegram would show what is not confirmed again at once, so give the oldest of it a moment.
        """
        confirmed = self._offset
        new = [one for one in updates if self._is_new(one.update_id)]
        for update in new:
            self._heard_at = self._clock.monotonic()
            self._taken[update.update_id] = self._heard_at + BEGUN_WITHIN_SECONDS
            await self._take(update)
        self._confirm()
        if self._taken and len(updates) < AT_A_TIME:
            await self._heard.until_shown(next(iter(self._taken)), LOOK_AGAIN_SECONDS)
            self._confirm()
        return bool(new) or self._offset != confirmed

    def _is_new(self, update: int) -> bool:
        return update not in self._taken and (self._offset is None or update >= self._offset)

    def _confirm(self) -> None:
        """The next poll confirms all before the oldest that something is still to be shown for."""
        for update, until in tuple(self._taken.items()):
            waits = update in self._heard and self._clock.monotonic() < until
            if waits and len(self._taken) <= HELD_MOST:
                return
            del self._taken[update]
            self._offset = update + 1

    async def _poll(self) -> tuple[Update, ...]:
        if self._clock.monotonic() - self._heard_at > FORGET_OFFSET_AFTER_SECONDS:
            self._offset = None
        return await self._telegram.get_updates(
            self._offset, AT_A_TIME, timeout=self._poll_seconds, allowed_updates=ALLOWED
        )

    async def _look_for_webhook(self) -> None:
        info = await self._telegram.get_webhook_info()
        if info.url:
            # The rest of the address may be a secret.
            raise Unserved(WEBHOOK_SET.format(host=urlsplit(info.url).hostname))
        self._webhook_free = True
        self._told.hears(True)  # the first poll may last as long as nobody says anything

    async def _conflicting(self, error: Conflict) -> float:
        if "webhook" in str(error):
            self._webhook_free = False
            return 1.0
        wait = self._conflicts.conflict(self._clock.monotonic())
        log.info("telegram.conflict next_try_in=%s", round(wait))
        if wait >= SHORTEST_PAUSE_SECONDS:
            said = TWO_POLLERS.format(minutes=max(1, round(wait / 60)))
            log.warning("telegram.two_pollers said=%s", said)
            self._told.faulty(OTHER_POLLER)
            if self._conflicts.pauses == 1:
                await self._say(said)
        return wait

    async def _refused(self) -> float:
        """Telegram disowns a good token at times; it is believed once it goes on saying so."""
        self._refusals += 1
        log.warning("telegram.token_refused times=%s", self._refusals)
        if self._refusals >= REFUSALS_BELIEVED and await self._disowned():
            raise Unserved(TOKEN_REFUSED)
        return REFUSED_PAUSE_SECONDS

    async def _disowned(self) -> bool:
        try:
            await self._telegram.get_me()
        except InvalidToken:
            return True
        except TelegramError as error:
            log.info("telegram.token_not_asked why=%s", error)
        return False

    def _failed(self, why: str) -> float:
        self._told.hears(False)
        self._failures += 1
        level = logging.WARNING if self._failures in (1, 5) else logging.DEBUG
        log.log(level, "telegram.poll_failed times=%s why=%s", self._failures, why)
        return next(self._pauses)

    async def close(self) -> None:
        """Tell Telegram what something was shown for, so that a successor does not get it again."""
        self._confirm()
        if self._offset is None:
            return
        try:
            await self._telegram.get_updates(self._offset, limit=1, timeout=0)
        except Exception as error:  # noqa: BLE001  (the ledger knows what was asked twice)
            log.info("telegram.not_confirmed offset=%s why=%s", self._offset, type(error).__name__)
