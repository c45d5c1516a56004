"""The terminal as a chat: a line is what somebody says, and its reply is shown."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Protocol

from clawbot.ask import Ask, Chat
from clawbot.bot import Bot
from clawbot.commands import parse
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
class Line:
    """One line: who speaks, what they say, and whether its reply is waited for."""

    text: str
    speaker: str
    words: tuple[str, ...]
    waited: bool


def read(line: str) -> Line:
    """``[NAME: ]words[ &]``."""
    text = line.strip()
    waited = not text.endswith("&")
    said = text.removesuffix("&").strip()
    spoken = _SPEAKER.fullmatch(said)
    if spoken is None:
        return Line(text, OPERATOR, tuple(said.split()), waited)
    return Line(text, spoken["name"], tuple(spoken["rest"].split()), waited)


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


Act = Callable[[Bot], Awaitable[Reply]]
# What came of words that are meant for no bot, in a sentence; nothing where they are none such.
Outside = Callable[[tuple[str, ...]], Awaitable[str]]


async def _nothing(_: tuple[str, ...]) -> str:
    return ""


class Terminal:
    """One chat. `asked` has the bot act, once there is one; where none comes, the chat is told."""

    def __init__(
        self,
        asked: Callable[[Act, Chat], Awaitable[Reply]],
        output: Output,
        clock: Clock,
        outside: Outside = _nothing,
    ) -> None:
        self._outside = outside
        self._asked = asked
        self._output = output
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

    def reply_of(self, channel: str, reply_id: str) -> Callable[[Reply], Awaitable[None]] | None:
        """How to change a predecessor's reply; here it appears anew."""
        if channel != _CHANNEL:
            return None
        return partial(LineChat(self._output, "", self._numbers).edit, reply_id)

    async def finish(self) -> None:
        """Wait for whatever is not finished."""
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

    async def _answer(self, line: Line) -> Reply:
        chat = LineChat(self._output, line.text, self._numbers)
        match line.words:
            case ("/fleet", *words):
                reply = await self._asked(lambda bot: self._command(bot, line, words, chat), chat)
            case (word,) if (answer := word.casefold().rstrip(".!")) in ("yes", "no"):
                reply = await self._decide(line, answer == "yes", chat)
            case other:
                done = await self._outside(other)
                reply = await chat.say(Notice((done,)) if done else _NO_COMMAND)
        if isinstance(reply, Question):
            self._questions[line.speaker] = (reply, chat.newest)
        return reply

    async def _command(self, bot: Bot, line: Line, words: list[str], chat: "LineChat") -> Reply:
        return await bot.commands.answer(await self._ask(bot, line), parse(tuple(words)), chat)

    async def _decide(self, line: Line, is_yes: bool, chat: "LineChat") -> Reply:
        # Only the newest can be answered: a yes said twice must not reach the one before it.
        asked = self._questions.pop(line.speaker, None)
        if not asked:
            return await chat.say(Notice((f"{line.speaker} was asked nothing.",)))
        question, reply_id = asked

        async def decided(bot: Bot) -> Reply:
            decide = bot.commands.confirm if is_yes else bot.commands.decline
            return await decide(question, await self._ask(bot, line), chat, reply_id)

        return await self._asked(decided, chat)

    async def _ask(self, bot: Bot, line: Line) -> Ask:
        name = _UNSAFE.sub("-", line.speaker)[:32]
        return Ask(
            caller=await caller(line.speaker, bot),
            platform=PLATFORM,
            channel=_CHANNEL,
            asked=str(next(self._numbers)),
            account=f"{PLATFORM}:{name}",
            name=name,
        )

    async def _noted(self, answer: Awaitable[Reply]) -> None:
        reply = await answer
        if isinstance(reply, Deploying):
            self._failed |= reply.progress.stage is not Stage.DONE
        elif isinstance(reply, Notice):
            self._failed |= reply.tone is Tone.BROKEN
            self._no_command |= reply.code == UNKNOWN_COMMAND


@dataclass(slots=True)
class LineChat:
    """Where the replies to one line go; `newest` is the id of the last that was sent."""

    output: Output
    said: str
    numbers: "count[int]"
    newest: str = ""

    async def send(self, reply: Reply) -> str:
        self.newest = str(next(self.numbers))
        await self.edit(self.newest, reply)
        return self.newest

    async def say(self, reply: Reply) -> Reply:
        await self.send(reply)
        return reply

    async def edit(self, reply_id: str, reply: Reply) -> None:
        self.output.show(self.said, reply_id, reply)
