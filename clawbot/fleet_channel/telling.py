"""One deploy's telling in the fleet's channel: a message that is followed as a reply is."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from clawbot.fleet_channel.channel import FleetChannel
from clawbot.fleet_channel.dead_reply import DeadReply
from clawbot.fleet_channel.lease import ChannelLease
from clawbot.living_reply import LivingReply, NoPlace, ReplyMessage, State
from clawbot.progress import HostStage, Progress, Stage
from clawbot.replies import Deploying, Notice, Reply
from clawbot.tracking import Tracker, found
from clawbot.until_shown import until_shown
from fleet_control.clock import Clock
from fleet_control.ledger import Run


def is_failure(end: Progress) -> bool:
    """Whether those are called whom the channel has for failures. Whoever stopped a roll between
    two hosts, or cancelled one that had touched none, meant to."""
    if end.stage is Stage.CANCELLED:
        return any(host.stage is not HostStage.UNTOUCHED for host in end.hosts)
    return end.stage in (Stage.FAILED, Stage.UNKNOWN)


class NotSent(Exception):
    """The channel could not be told of it, or of its end, for now."""


class ChannelTelling:
    """Of one run, as it is listed, under the `lease` of that.

    A new message answers the dead reply, where that stands in this very channel, or else what
    another bot last told it in. `sent` hears in which message it stands, whenever that is another
    one than before.
    """

    def __init__(
        self,
        run: Run,
        lease: ChannelLease,
        channel: FleetChannel,
        clock: Clock,
        sent: Callable[[str], None],
    ) -> None:
        self._run = run
        self._lease = lease
        stands = lease.message
        dead = DeadReply(run, lease, channel)
        place = channel.message(stands, dead.id_here or lease.told_before)
        message = NotedMessage(place, lease, dead, sent)
        reply = LivingReply(message, clock, State.SENT if stands else State.UNSENT)
        asker = run.requested_by.partition(" ")[0]
        is_here = asker.startswith(f"{channel.platform}:")
        call = ChannelCall(lease, asker if is_here else "", channel.calls)
        self._reply = reply
        self._show = until_shown(
            partial(reply.follow, call=call),
            run.request_id,
            clock,
            lease.certain,
            # Where we alone are shut out, another bot can tell it.
            lambda error: bool(reply.id) and not isinstance(error, NoPlace),
        )

    @property
    def message(self) -> str:
        """Where it stands; empty before it was sent."""
        return self._reply.id

    @property
    def leaves_unanswered(self) -> bool:
        """Whether the dead reply is still to be answered with where it stands."""
        return bool(self._lease.dead_reply)

    @property
    def runs(self) -> set[int]:
        """Of which it tells: its run, and the deploy of the same ask, where that is another."""
        return {self._run.id, self._lease.run_id}

    async def follow(self, tracker: Tracker) -> bool:
        """Tell it to its end; whether that was told here, and not taken over by another bot.

        NotSent where it, or its end, could not be told there.
        """
        following = tracker.follow(found(self._run), self._told)
        return await self._lease.while_held(following) is not None

    async def _told(self, what: Deploying) -> None:
        await self._lease.is_of(what.progress.run_id or self._run.id)
        await self._show(what)
        is_told = bool(self._lease.end) or self._lease.was_told
        if not self._reply.id or (what.progress.over and not is_told):
            raise NotSent


class ChannelCall:
    """The call at a deploy's end in the fleet's channel: of its `asker`, where they are of this
    platform, and of those whom the channel `calls` for failures."""

    def __init__(self, lease: ChannelLease, asker: str, calls: tuple[str, ...]) -> None:
        self._lease = lease
        self._asker = asker
        self._calls = calls

    async def make(
        self,
        end: Deploying,
        calling: Callable[[Deploying], Awaitable[None]],
        *,
        news: bool,  # noqa: ARG002  (the control table knows better)
    ) -> None:
        if self._lease.end:
            return
        # Their own reply may have told them meanwhile, and another bot have taken over.
        await self._lease.renew()
        await self._lease.certain()
        if self._lease.was_told:
            return
        calls = self._calls if is_failure(end.progress) else ()
        called = replace(end, asker=self._asker, calls=calls)
        if called.asker or called.calls:
            await calling(called)
        await self._lease.ended(end.progress.stage)


class NotedMessage:
    """A `ReplyMessage` whose id the control table has as soon as it was sent; then `sent` hears
    it, and the dead reply is answered with it. Nothing else is said, and no end noted, before."""

    def __init__(
        self,
        message: ReplyMessage,
        lease: ChannelLease,
        dead: DeadReply,
        sent: Callable[[str], None],
    ) -> None:
        self._message = message
        self._lease = lease
        self._dead = dead
        self._sent = sent

    @property
    def id(self) -> str:
        return self._message.id

    async def show(self, reply: Reply, within: float | None) -> bool:
        news = await self._message.show(reply, within)
        if self.id != self._lease.message:
            await self._lease.stands_in(self.id, answers=bool(self._dead.id_here))
            self._sent(self.id)
        await self._dead.answer(self.id)
        return news

    async def heard(self) -> None:
        await self._message.heard()

    async def whisper(self, notice: Notice) -> None:
        await self._message.whisper(notice)

    async def call(self, reply: Deploying) -> None:
        await self._message.call(reply)
