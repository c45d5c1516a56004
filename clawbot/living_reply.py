"""A reply that lives: sent once, edited while its deploy goes on, final, and told to its asker."""

import logging
from collections.abc import Callable
from enum import StrEnum
from math import inf
from typing import Protocol, TypeVar

from clawbot.call import EndCall
from clawbot.progress import Stage
from clawbot.replies import Deploying, Notice, Reply, StatusReport, Tone, broken, is_final
from fleet_control.clock import Clock
from fleet_control.error import FleetError
from fleet_control.ledger import RequestId

# What ended longer than this before a bot began is said in no new message: it was said, and
# somebody deleted it, or nobody waits for it any more.
GOES_ON_SECONDS = 900.0
# What is about to be asked for must be shown in this time; after it nobody expects it any more.
BEGUN_WITHIN_SECONDS = 120.0


AnyReply = TypeVar("AnyReply", bound=Reply)

log = logging.getLogger(__name__)


class State(StrEnum):
    """Where a reply is in its life, in this order."""

    UNSENT = "unsent"
    SENT = "sent"  # and it may change
    FINAL = "final"  # but its asker is not called yet
    TOLD = "told"


class NoPlace(FleetError):
    """The platform lets us say this nowhere, and said why: we were put out, or what was asked in is
    closed or gone."""

    def __init__(self, why: object) -> None:
        super().__init__(f"I am not let write where that was asked: {why}")


class ReplyMessage(Protocol):
    """The message of a platform that a reply stands in."""

    @property
    def id(self) -> str:
        """As the platform names it; another one after the reply had to move. Empty if unsent."""
        ...

    async def show(self, reply: Reply, within: float | None) -> bool:
        """Say this there, or in a new message where it can't be edited; whether it was news.

        A deploy that began is told elsewhere where the place is closed to us; NoPlace where nothing
        is open.

        `within` is for how many seconds that is worth trying; None is up to the platform, where
        something that comes later will show it too.
        """
        ...

    async def heard(self) -> None:
        """Tell the one who acted that it was heard, where the platform waits for that."""
        ...

    async def whisper(self, notice: Notice) -> None:
        """Tell only the one who acted; the message stays as it is."""
        ...

    async def call(self, reply: Deploying) -> None:
        """Notify those whom it names, which an edit does not, by one new message: the `asker`, and
        everybody of `calls`, who are of this platform; none is sent where there are none."""
        ...


class LivingReply:
    """One reply to one ask, on whatever platform.

    Attributes:
        state: where it is in its life.
        latest: what this process showed last, or wanted to.
    """

    def __init__(
        self,
        message: ReplyMessage,
        clock: Clock,
        state: State = State.UNSENT,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`changed` is called after each change of `state` or `latest`."""
        self.state = state
        self.latest: Reply | None = None
        self._stood = state is State.SENT
        self._message = message
        self._clock = clock
        self._heard = clock.monotonic()
        self._changed = changed

    @property
    def id(self) -> str:
        return self._message.id

    @property
    def left_to_successor(self) -> bool:
        """Whether whoever comes after this process finishes it: its run is in the ledger.

        A call to the asker that is not made yet is nobody's but ours.
        """
        return (
            self.state is not State.FINAL
            and isinstance(self.latest, Deploying)
            and (
                self.latest.progress.run_id is not None
                or self.latest.progress.stage is not Stage.ASKING
            )
        )

    async def show(self, reply: AnyReply) -> AnyReply:
        """Show this."""
        await self._show(reply)
        self._become(State.TOLD if is_final(reply) else State.SENT)
        return reply

    async def follow(self, reply: Reply, call: EndCall) -> None:
        """Show this of a deploy; at its end call whom it concerns, too."""
        if isinstance(reply, Deploying) and reply.progress.over:
            await self._end(reply, call)
        else:
            await self.show(reply)

    async def _end(self, reply: Deploying, call: EndCall) -> None:
        news = await self._show(reply)
        self._become(State.FINAL)
        try:
            await call.make(reply, self._message.call, news=news)
        finally:
            self._become(State.TOLD)

    async def _show(self, reply: Reply) -> bool:
        try:
            return await self._message.show(reply, self._within(reply))
        finally:
            self.latest = reply
            self._changed()

    async def answer(self, reply: AnyReply) -> AnyReply:
        """Show this. A refusal leaves a message that stood before to those who read it."""
        if self._stood and isinstance(reply, Notice) and reply.tone is not Tone.PLAIN:
            await self.whisper(reply)
            return reply
        return await self.show(reply)

    async def broke(
        self, error: Exception, request_id: RequestId, *, replaces: bool = False
    ) -> Notice:
        """Tell in words what is broken, which may be the chat itself; the log has it in full.

        `replaces` is for what may stand there half begun, and must not stay.
        """
        told = broken(words(error, request_id))
        if isinstance(error, NoPlace):
            return told  # in the log, since it can be said nowhere else
        try:
            await (self.show(told) if replaces else self.answer(told))
        except Exception:
            log.exception("fleet.chat_broken request_id=%s", request_id)
        return told

    async def heard(self) -> None:
        """Tell the one who acted that it was heard; what comes of it may take a while."""
        await self._message.heard()

    async def whisper(self, notice: Notice) -> None:
        """Tell only the one who acted."""
        await self._message.whisper(notice)

    def _become(self, state: State) -> None:
        self.state = state
        self._changed()

    def _within(self, reply: Reply) -> float | None:
        match reply:
            case Deploying(progress=seen) if seen.stage is Stage.ASKING:
                return max(0.0, self._heard + BEGUN_WITHIN_SECONDS - self._clock.monotonic())
            case StatusReport():
                return None
        # Nothing comes after what is final that would show it too.
        return inf if is_final(reply) else None


def long_over(reply: Reply, began: float) -> bool:
    """Whether a deploy ended long before the bot that finds it began, in Unix seconds."""
    return isinstance(reply, Deploying) and reply.progress.ended <= began - GOES_ON_SECONDS


def words(error: Exception, request_id: RequestId) -> str:
    """What is broken, for people; the log has it in full."""
    if isinstance(error, FleetError):
        log.warning("fleet.broken request_id=%s why=%s", request_id, error)
        return str(error)
    log.error("fleet.broken_inside request_id=%s", request_id, exc_info=error)
    return "Something broke in me; my log has it. Look at `/fleet status` before asking again."
