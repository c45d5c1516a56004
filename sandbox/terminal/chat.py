"""The terminal as a chat: a line is what somebody says, and its reply is shown."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Protocol

from clawbot.ask import Ask, Chat
from clawbot.progress import Stage
from clawbot.replies import UNKNOWN_COMMAND, Deploying, Notice, Question, Reply, Tone
from fleet_control.caller import Caller
from fleet_control.clock import Clock

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


def parse(line: str) -> Line:
    """``[NAME: ]words[ &]``."""
    text = line.strip()
    waited = not text.endswith("&")
    said = text.removesuffix("&").strip()
    spoken = _SPEAKER.fullmatch(said)
    if spoken is None:
        return Line(text, OPERATOR, tuple(said.split()), waited)
    return Line(text, spoken["name"], tuple(spoken["rest"].split()), waited)


class Answers(Protocol):
    """What a terminal asks: a bot's `Commands`, or what stands for them."""

    async def answer(self, ask: Ask, chat: Chat) -> Reply: ...

    async def confirm(self, question: Question, ask: Ask, chat: Chat, reply_id: str) -> Reply: ...

    async def decline(self, question: Question, ask: Ask, chat: Chat, reply_id: str) -> Reply: ...


class Output(Protocol):
    """Where a chat is shown: a pipe, or above a prompt."""

    def hear(self, said: str) -> None:
        """Show a line that somebody said."""
        ...

    def show(self, said: str, reply_id: str, reply: Reply) -> None:
        """Show a reply anew; `said` is what it answers, empty where that was in another life."""
        ...


class Terminal:
    """One chat. `speaks_as` tells a speaker's caller."""

    def __init__(
        self,
        commands: Answers,
        output: Output,
        clock: Clock,
        speaks_as: Callable[[str], Awaitable[Caller]],
    ) -> None:
        self._commands = commands
        self._output = output
        self._speaks_as = speaks_as
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
        line = parse(text)
        if not line.words or line.words[0].startswith("#"):
            return
        self._output.hear(line.text)
        task = self._spawn(self._answer(line))
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

        async def finished(one: Awaitable[Reply]) -> None:
            self._note(await one)

        for one in left:
            self._spawn(finished(one))

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

    async def _answer(self, line: Line) -> None:
        chat = LineChat(self._output, line.text, self._numbers)
        match line.words:
            case ("/fleet", *words):
                reply = await self._commands.answer(await self._ask(line, words), chat)
            case (word,) if (answer := word.casefold().rstrip(".!")) in ("yes", "no"):
                reply = await self._decide(line, answer, chat)
            case _:
                reply = _NO_COMMAND
                await chat.send(reply)
        self._note(reply)
        if isinstance(reply, Question):
            self._questions[line.speaker] = (reply, chat.newest)

    async def _decide(self, line: Line, word: str, chat: "LineChat") -> Reply:
        # Only the newest can be answered: a yes said twice must not reach the one before it.
        asked = self._questions.pop(line.speaker, None)
        if not asked:
            reply = Notice((f"{line.speaker} was asked nothing.",))
            await chat.send(reply)
            return reply
        question, reply_id = asked
        answer = self._commands.confirm if word == "yes" else self._commands.decline
        return await answer(question, await self._ask(line, ()), chat, reply_id)

    async def _ask(self, line: Line, words: Iterable[str]) -> Ask:
        name = _UNSAFE.sub("-", line.speaker)[:32]
        return Ask(
            caller=await self._speaks_as(line.speaker),
            words=tuple(words),
            platform=PLATFORM,
            channel=_CHANNEL,
            asked=str(next(self._numbers)),
            account=f"{PLATFORM}:{name}",
            name=name,
        )

    def _note(self, reply: Reply) -> None:
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

    async def edit(self, reply_id: str, reply: Reply) -> None:
        self.output.show(self.said, reply_id, reply)
