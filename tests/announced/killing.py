"""Bots that are killed in the middle of a deploy, each at its next call."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import inf

from tests.announced.channel_message import ChannelMessage, MessageKind, about, said
from tests.announced.three_bots import OneBot, ThreeBots
from tests.announced.verdict import AskedDeploy, Told

STEP_SECONDS = 10.0
# What is not so by then will not be.
LONGEST_SECONDS = 1200.0
# What was left is heard again, and asked for.
HEARD_SECONDS = 30.0
# What is over stays as it is for so long: every bot looks twice.
QUIET_SECONDS = 60.0


class Return(Enum):
    """How many seconds after its kill a bot comes back."""

    AFTER_A_MINUTE = 60.0
    AFTER_SIX_MINUTES = 360.0
    NEVER = inf


@dataclass
class Killing:
    """Kills bots of a scene that serve, and says what is wrong in the end.

    Attributes:
        ask: asks for the deploys.
        victims: who is killed, each at its own such moment.
        stands_by: who serves only once they are killed, and to the end.
    """

    bots: ThreeBots
    deploys: Sequence[AskedDeploy]
    victims: Sequence[OneBot]
    ask: Callable[[], Awaitable[None]]
    stands_by: OneBot | None = None
    _since: set[tuple[str, str]] = field(default_factory=set)
    _before: list[ChannelMessage] = field(default_factory=list)
    _ended: set[str] = field(default_factory=set)

    async def at(self, moment: int, comes: Return) -> list[str]:
        """What is wrong in the end where each victim is killed at that moment of its own."""
        self.bots.runs.forget()
        self._since, self._before = {(one.platform, one.id) for one in said(self.bots)}, []
        for victim in self.victims:
            victim.line.begin(moment)
        await self.ask()
        await self.bots.idle()
        killed = await self._killed()
        if self.stands_by:
            await self.bots.start(self.stands_by)
        back = comes is not Return.NEVER
        if back:
            await self._return(comes.value)
        await self.bots.pass_time(HEARD_SECONDS)
        await self._until(lambda: self._have_ended() and not self._wrong(back=back))
        await self.bots.pass_time(QUIET_SECONDS)
        wrong = self._wrong(back=back) if killed else ["nobody was killed"]
        if self.stands_by:
            await self.bots.kill(self.stands_by)
        await self._return(0)
        return [f"{moment}, {killed}: {one}" for one in wrong]

    async def _killed(self) -> list[str]:
        """Let time pass until each victim is cut off, or all is said."""
        killed: list[str] = []
        until = self.bots.clock.now() + LONGEST_SECONDS
        while self.bots.clock.now() < until:
            for victim in self.victims:
                if victim.line.is_cut and victim.program:
                    method, path, acted = victim.line.moments[-1]
                    killed.append(f"{victim.name} at {method} {path} {'acted' if acted else ''}")
                    await self.bots.kill(victim)
                    self._before += self._said()
                    self._ended |= {one.target for one in self.deploys if self._is_told(one)}
            if all(victim.program is None for victim in self.victims) or self._is_over():
                break
            await self.bots.pass_time(STEP_SECONDS, STEP_SECONDS)
        return killed

    async def _return(self, seconds: float) -> None:
        gone = [victim for victim in self.victims if victim.program is None]
        if gone:
            await self.bots.pass_time(seconds)
            await self.bots.start(*gone)
            await self.bots.idle()
        for victim in self.victims:
            victim.line.begin(0)

    async def _until(self, holds: Callable[[], bool]) -> None:
        until = self.bots.clock.now() + LONGEST_SECONDS
        while not holds() and self.bots.clock.now() < until:
            await self.bots.pass_time(STEP_SECONDS, STEP_SECONDS)

    @property
    def untold(self) -> list[str]:
        """The deploys of which no end had been told yet at any kill."""
        return [one.target for one in self.deploys if one.target not in self._ended]

    def _is_told(self, deploy: AskedDeploy) -> bool:
        ends = (MessageKind.FINAL, MessageKind.CALL)
        return any(one.kind in ends for one in about(deploy.target, self._said()))

    def _is_over(self) -> bool:
        begun = all(self.bots.runs.of(one.target) for one in self.deploys)
        return begun and self._have_ended() and not self._wrong(back=True)

    def _have_ended(self) -> bool:
        """Whether no run goes on; the button's are looked for, too."""
        runs = [run for one in self.deploys for run in self.bots.runs.of(one.target)]
        return all(run["status"] == "completed" for run in runs)

    def _said(self) -> list[ChannelMessage]:
        return [one for one in said(self.bots) if (one.platform, one.id) not in self._since]

    def _wrong(self, *, back: bool) -> list[str]:
        wrong = []
        for deploy in self.deploys:
            told = about(deploy.target, self._said())
            before = about(deploy.target, self._before)
            replies, noted = (
                self.bots.runs.replies_to(deploy.target),
                self.bots.noted(deploy.target),
            )
            found = Told(deploy, replies, told, noted, before, back)
            wrong += [f"{one}\n    " + "\n    ".join(map(str, told)) for one in found.wrong()]
        return wrong
