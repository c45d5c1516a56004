"""Deploys whose bot is killed, each at its next call, and what their replies say at last."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import count

from tests.chat_scene import ChatScene
from tests.idle import idle
from tests.timed_control_api import TimedControlApi

FEWEST_MOMENTS = 20
# How the clock goes on: by less than any lag.
STEP_SECONDS = 4.0
RESTART_SECONDS = 1.0
# What is not so by then will not be.
LONGEST_SECONDS = 400.0
# What is over stays as it is for so long.
QUIET_SECONDS = 20.0


@dataclass
class KilledDeploys:
    """Kills a scene's bot in the middle of deploys.

    Attributes:
        start: starts the bot.
        ask: asks for a deploy; the id of what was said.
        replies: what the bot has said since, by each message's id.
        say_again: says what was asked once more, as a platform may to a bot that starts; whether a
            deploy must come of it.
        calls: how often the asker was called since.
        calls_once: whether the platform makes one of a call that is said again.
    """

    scene: ChatScene
    api: TimedControlApi
    start: Callable[[], Awaitable[object]]
    ask: Callable[[], Awaitable[str]]
    replies: Callable[[str], Mapping[str, str]]
    say_again: Callable[[], Awaitable[bool]]
    calls: Callable[[str], int]
    calls_once: bool
    asked: str = ""
    most_calls: int = 1
    due: bool = True

    async def at_each_moment(self) -> dict[str, object]:
        """What is wrong in the end, by the moment of the kill; the last one is not killed."""
        wrong: dict[str, object] = {}
        await self.start()
        for moment in count(1):
            killed = await self._killed_at(moment)
            left = untrue(self.api, self.replies(self.asked))
            if left or len(self.api.runs) != self.due:
                wrong[f"{moment}, {killed}"] = left or self.api.runs
            elif self.api.runs and not 1 <= self.calls(self.asked) <= self.most_calls:
                wrong[f"{moment}, {killed}"] = f"called {self.calls(self.asked)} times"
            if not killed:
                assert moment > FEWEST_MOMENTS
                break
        return wrong

    async def _killed_at(self, moment: int) -> str:
        """One life to that moment, and the next until all is said that will be; what the first was
        killed at, if it was."""
        line = self.scene.line
        self.api.forget()
        line.begin(moment)
        self.most_calls, self.due = 1, True
        self.asked = await self.ask()
        await self._until(lambda: line.is_cut or self._is_over())
        await self._idle()  # the asker is called after the end
        if not line.is_cut:
            return ""
        killed = " ".join(map(str, line.moments[-1]))
        await self.scene.kill()
        if self.calls(self.asked) and "done" not in self.api.told.values():
            self.most_calls = 1 if self.calls_once else 2  # nobody but the platform knows of it
        await self.scene.clock.turn(RESTART_SECONDS)
        self.due = bool(await self.say_again() or self.api.runs)
        line.begin(0)
        await self.start()
        if self.due:
            await self._until(self._is_over)
        await self._pass(QUIET_SECONDS)
        return killed

    def _is_over(self) -> bool:
        return bool(self.api.runs) and not untrue(self.api, self.replies(self.asked))

    async def _until(self, holds: Callable[[], bool]) -> None:
        """Let time pass until that is so; what is not so in the end is told as wrong."""
        until = self.scene.clock.now() + LONGEST_SECONDS
        await self._idle()
        while not holds() and self.scene.clock.now() < until:
            await self._pass(STEP_SECONDS)

    async def _pass(self, seconds: float) -> None:
        for _ in range(int(seconds / STEP_SECONDS)):
            await self.scene.clock.turn(STEP_SECONDS)
            await self._idle()

    async def _idle(self) -> None:
        """Until the bot has nothing left to do that needs no time."""
        await idle(lambda: self.scene.line.under_way)


def untrue(api: TimedControlApi, replies: Mapping[str, str]) -> dict[str, str]:
    """Those that are neither the end of the deploy nor, where no run answers to them, true by
    themselves."""
    answered = {run.reply for run in api.runs}
    return {
        id_: text
        for id_, text in replies.items()
        if "done" not in text and (id_ in answered or not _is_true_by_itself(text))
    }


def _is_true_by_itself(text: str) -> bool:
    """What comes before a dispatch, or tells that there was none."""
    asking = "asking" in text and "If this has not changed in two minutes" in text
    return asking or "began nothing. Ask again." in text
