"""A platform that keeps what the bots say there, and kills one at a chosen moment of its saying."""

import asyncio
from dataclasses import dataclass, field

from clawbot.living_reply import NoPlace, ReplyMessage
from clawbot.replies import Deploying, Notice, Reply

ON_CALL = {"discord": "discord:&5", "telegram": "telegram:5"}
CHANNELS = {"discord": "discord:900", "telegram": "telegram:-900"}


@dataclass
class Standing:
    """One message of a platform: whose, where, what it answers, and all that it showed."""

    author: str
    channel: str
    answers: str
    shown: list[Reply] = field(default_factory=list)

    @property
    def is_final(self) -> bool:
        """Whether it tells how a deploy ended."""
        last = self.shown[-1]
        return isinstance(last, Deploying) and last.progress.over

    def is_of(self, run: int) -> bool:
        """Whether it has told of this run."""
        return any(isinstance(one, Deploying) and one.progress.run_id == run for one in self.shown)


@dataclass
class Platform:
    """
    Attributes:
        called: who was called at which end, as (channel, accounts).
        pointed: which dead reply was answered with which message.
        gone: channels in which nothing can be answered any more; `silent` are those that take
            nothing for now. `tried` is of which channels each try of that was.
        away: whether it answers nobody; `shut_out` are bots that it does not answer, `put_out`
            those that it refuses for good, and `muted` those that may say nothing new.
        fatal: the moment of a bot at which it is killed: before its message was taken, or after.
        frozen: bots that were.
    """

    name: str
    messages: dict[str, Standing] = field(default_factory=dict)
    called: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    pointed: list[tuple[str, str]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    tried: list[str] = field(default_factory=list)
    away: bool = False
    shut_out: set[str] = field(default_factory=set)
    put_out: set[str] = field(default_factory=set)
    muted: set[str] = field(default_factory=set)
    moments: dict[str, int] = field(default_factory=dict)
    fatal: tuple[str, int] = ("", 0)
    frozen: set[str] = field(default_factory=set)

    async def passes(self, bot: str, *, new: bool = False) -> None:
        if self.away or bot in self.shut_out:
            raise ConnectionError("the platform does not answer")
        if bot in self.put_out or (new and bot in self.muted):
            raise NoPlace("missing access")
        self.moments[bot] = self.moments.get(bot, 0) + 1
        if self.fatal == (bot, self.moments[bot]):
            self.frozen.add(bot)
        if bot in self.frozen:
            await asyncio.Event().wait()

    def id_of(self, message: Standing) -> str:
        return next(id_ for id_, one in self.messages.items() if one is message)

    def told(self, channel: str) -> list[Standing]:
        """The messages that tell there how a deploy ended."""
        return [one for one in self.messages.values() if one.channel == channel and one.is_final]


@dataclass
class PlatformMessage:
    """A `ReplyMessage` of one bot."""

    platform: Platform
    bot: str
    channel: str
    id: str = ""
    answers: str = ""

    async def show(self, reply: Reply, _within: float | None) -> bool:
        await self.platform.passes(self.bot, new=not self.id)
        made = self.id or str(100 + len(self.platform.messages))
        stands = self.platform.messages.setdefault(
            made, Standing(self.bot, self.channel, self.answers)
        )
        assert stands.author == self.bot, "nobody edits another's message"
        is_news = stands.shown[-1:] != [reply]
        stands.shown.append(reply)
        await self.platform.passes(self.bot)
        self.id = made
        return is_news

    async def heard(self) -> None: ...

    async def whisper(self, notice: Notice) -> None: ...

    async def call(self, reply: Deploying) -> None:
        accounts = tuple(filter(None, (reply.asker, *reply.calls)))
        assert accounts
        await self.platform.passes(self.bot, new=True)
        self.platform.called.append((self.channel, accounts))
        await self.platform.passes(self.bot)


@dataclass
class ToldChannel:
    """A `FleetChannel` of one bot."""

    on: Platform
    bot: str
    name: str = ""
    platform: str = ""
    calls: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.platform = self.on.name
        self.name, self.calls = CHANNELS[self.platform], (ON_CALL[self.platform],)

    def message(self, id_: str = "", answers: str = "") -> ReplyMessage:
        return PlatformMessage(self.on, self.bot, self.name, id_, answers)

    async def point(self, asked_in: str, dead_reply: str, to: str) -> bool:
        assert self.on.messages[dead_reply].channel == f"{self.platform}:{asked_in}"
        self.on.tried.append(asked_in)
        if self.on.away or asked_in in self.on.gone | self.on.silent:
            return asked_in in self.on.gone
        await self.on.passes(self.bot, new=True)
        self.on.pointed.append((dead_reply, to))
        await self.on.passes(self.bot)
        return True
