"""The terminal as a chat: a line is what somebody says, and its reply is shown."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from clawbot import words
from clawbot.ask import Ask
from clawbot.bot import Bot
from clawbot.living_reply import LivingReply, State
from clawbot.parsing import parse
from clawbot.progress import Stage
from clawbot.replies import UNKNOWN_COMMAND, Deploying, Notice, Question, Reply, Tone
from fleet_control.caller import BotInstance, Caller, Human
from fleet_control.clock import Clock
from fleet_control.error import FleetError

PLATFORM = "terminal"
OPERATOR = "operator"
_CHANNEL = "1"
_SPEAKER = re.compile(r"(?P<name>[^\s:/]{1,64}):\s+(?P<rest>.*)", re.DOTALL)
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_NO_COMMAND = Notice(("That is not a command. Try `/fleet help`.",), code=UNKNOWN_COMMAND)


@dataclass(frozen=True, slots=True)
class ChatLine:
    """One line: who speaks, what they say, and whether its reply is waited for."""

    text: str
    speaker: str
    words: tuple[str, ...]
    waited: bool


def read(line: str) -> ChatLine:
    """A line of the form ``[NAME: ]words[ &]``; a script's first may begin with a mark."""
    text = line.removeprefix("\ufeff").strip()
    waited = not text.endswith("&")
    said = text.removesuffix("&").strip()
    spoken = _SPEAKER.fullmatch(said)
    if spoken is None:
        return ChatLine(text, OPERATOR, tuple(said.split()), waited)
    return ChatLine(text, spoken["name"], tuple(spoken["rest"].split()), waited)


async def caller(name: str, bot: Bot) -> Caller:
    """Who speaks under this name: an instance by its id, the operator, or a stranger."""
    source, account = bot.fleet.registry, f"{PLATFORM}:{name}"
    with suppress(FleetError):
        # By what is known already, if that will do: to be refused should cost no question.
        if name != OPERATOR and (
            (source.last and name in source.last.registry) or name in (await source.get()).registry
        ):
            return BotInstance(name)
    return Human(account, name, operator=account in bot.settings.operators)


class Output(Protocol):
    """Where a chat is shown: a pipe, or above a prompt."""

    def hear(self, said: str) -> None:
        """Show a line that somebody said."""
        ...

    def show(self, said: str, reply_id: str, reply: Reply) -> None:
        """Show a reply anew; `said` is what it answers, empty where that was in another life."""
        ...


BotCall = Callable[[Bot], Awaitable[Reply]]
# What came of words that are meant for no bot, in a sentence; nothing where they are none such.
OutsideEvent = Callable[[tuple[str, ...]], Awaitable[str]]


async def _nothing(_: tuple[str, ...]) -> str:
    return ""


class Terminal:
    """One chat. `asked` has the bot act, once there is one; where none comes, the chat is told."""

    def __init__(
        self,
        asked: Callable[[BotCall, LivingReply], Awaitable[Reply]],
        output: Output,
        clock: Clock,
        outside: OutsideEvent = _nothing,
    ) -> None:
        self._outside = outside
        self._asked = asked
        self._output = output
        self._clock = clock
        # Unlike any number of a process before this one: they are parts of request ids.
        self._numbers = count(int(clock.now() * 1000))
        self._questions: dict[str, tuple[Question, str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed = False
        self._no_command = False

    @property
    def exit_code(self) -> int:
        """1 if something failed or broke, or its end could not be learnt; 2 if a line was no
        command."""
        return 1 if self._failed else 2 * self._no_command

    async def hear(self, text: str) -> None:
        """One line; returns when its reply is final or a question, at once if it ends in `&`."""
        line = read(text)
        if not line.words or line.words[0].startswith("#"):
            return
        self._output.hear(line.text)
        task = self._spawn(self._noted(self._answer(line)))
        if line.waited:
            await asyncio.shield(task)

    def hear_soon(self, texts: Iterable[str]) -> None:
        """Several lines, one after the other as `hear` has it; does not wait for any."""

        async def in_turn() -> None:
            for text in texts:
                await self.hear(text)

        self._spawn(in_turn())

    def finish_left(self, left: Iterable[Awaitable[Reply]]) -> None:
        """Finish the replies that a predecessor left."""
        for one in left:
            self._spawn(self._noted(one))

    def reply_of(self, channel: str, _asked: str, reply_id: str) -> LivingReply | None:
        """A predecessor's reply; here it appears anew."""
        return self._reply("", reply_id) if channel == _CHANNEL else None

    def _reply(self, said: str, reply_id: str = "") -> LivingReply:
        state = State.SENT if reply_id else State.UNSENT
        message = PrintedMessage(self._output, said, self._numbers, reply_id)
        return LivingReply(message, self._clock, state)

    async def finish(self) -> None:
        """Wait for all replies."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Awaitable[None]) -> "asyncio.Task[None]":
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _answer(self, line: ChatLine) -> Reply:
        reply = self._reply(line.text)
        match words.read(" ".join(line.words)):
            case (first, *asked) if words.is_command(first):
                said = await self._asked(lambda bot: self._command(bot, line, asked, reply), reply)
            case (word,) if (answer := word.casefold()) in ("yes", "no"):
                return await self._decide(line, reply, yes=answer == "yes")
            case _:
                done = await self._outside(line.words)
                said = await _say(reply, Notice(tuple(done.splitlines())) if done else _NO_COMMAND)
        if isinstance(said, Question):
            self._questions[line.speaker] = (said, reply.id)
        return said

    async def _command(
        self, bot: Bot, line: ChatLine, asked: list[str], reply: LivingReply
    ) -> Reply:
        return await bot.commands.answer(await self._ask(bot, line), parse(tuple(asked)), reply)

    async def _decide(self, line: ChatLine, reply: LivingReply, *, yes: bool) -> Reply:
        # Only the newest can be answered: a yes said twice must not reach the one before it.
        asked = self._questions.pop(line.speaker, None)
        if not asked:
            return await _say(reply, Notice((f"{line.speaker} was asked nothing.",)))
        question, reply_id = asked
        reply = self._reply(line.text, reply_id)

        async def decided(bot: Bot) -> Reply:
            ask = await self._ask(bot, line)
            return await bot.confirmation.answer(question, ask, reply, yes=yes)

        return await self._asked(decided, reply)

    async def _ask(self, bot: Bot, line: ChatLine) -> Ask:
        name = _UNSAFE.sub("-", line.speaker)[:32]
        return Ask(
            caller=await caller(line.speaker, bot),
            platform=PLATFORM,
            bot=bot.settings.bot,
            channel=_CHANNEL,
            asked=str(next(self._numbers)),
            account=f"{PLATFORM}:{name}",
            name=name,
        )

    async def _noted(self, answer: Awaitable[Reply]) -> None:
        reply = await answer
        if isinstance(reply, Deploying):
            # One that is only looked at has nobody to tell, and is somebody else's to fail.
            self._failed |= bool(reply.asker) and reply.progress.stage is not Stage.DONE
        elif isinstance(reply, Notice):
            self._failed |= reply.tone is Tone.BROKEN
            self._no_command |= reply.code == UNKNOWN_COMMAND


async def _say(reply: LivingReply, notice: Notice) -> Notice:
    await reply.show(notice)
    return notice


@dataclass(slots=True)
class PrintedMessage:
    """A `ReplyMessage`; it is printed anew with each change."""

    output: Output
    said: str
    numbers: "count[int]"
    id: str = ""

    async def show(self, reply: Reply, _within: float | None) -> bool:
        self.id = self.id or str(next(self.numbers))
        self.output.show(self.said, self.id, reply)
        return True

    async def heard(self) -> None:
        """The line that was said stands there."""

    async def whisper(self, notice: Notice) -> None:
        self.output.show(self.said, str(next(self.numbers)), notice)

    async def call(self, _reply: Deploying) -> None:
        """Whoever sits there sees it."""
