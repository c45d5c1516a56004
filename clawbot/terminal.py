"""The terminal as a chat: a line is what somebody says, a reply is printed or redrawn in place."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import count

from rich.console import Console
from rich.live import Live
from rich.text import Text

from clawbot.ask import Ask
from clawbot.commands import Commands
from clawbot.progress import Stage
from clawbot.replies import Deploying, Notice, Question, Reply, is_final
from clawbot.terminal_markup import render
from fleet_control.caller import Caller, Human, Unknown
from fleet_control.clock import Clock

PLATFORM = "terminal"
OPERATOR = "operator"
_SPEAKER = re.compile(r"(?P<name>[^\s:/]{1,64}):\s+(?P<rest>.*)", re.DOTALL)
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: who speaks, what they say, and whether its reply is waited for."""

    speaker: str
    words: tuple[str, ...]
    waited: bool


def parse(line: str) -> Line:
    """``[NAME: ]words[ &]``."""
    text = line.strip()
    waited = not text.endswith("&")
    said = _SPEAKER.fullmatch(text.removesuffix("&").strip())
    if said is None:
        return Line(OPERATOR, tuple(text.removesuffix("&").split()), waited)
    return Line(said["name"], tuple(said["rest"].split()), waited)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that waits for its speaker's yes or no."""

    question: Question
    reply_id: str


@dataclass
class Outcome:
    """What a session's exit code says: see `Terminal.exit_code`."""

    failed: bool = False
    no_command: bool = False


class Terminal:
    """One chat. `speaks_as` tells a speaker's caller; `live` redraws replies in place."""

    def __init__(
        self,
        commands: Commands,
        console: Console,
        clock: Clock,
        speaks_as: Callable[[str], Awaitable[Caller]],
        *,
        channel: str = "1",
        live: bool = False,
    ) -> None:
        self._commands = commands
        self._console = console
        self._clock = clock
        self._speaks_as = speaks_as
        self._channel = channel
        self._live = live
        self._numbers = count(int(clock.now() * 1000))
        self._questions: dict[str, list[Asked]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._outcome = Outcome()

    @property
    def exit_code(self) -> int:
        """1 if a deploy failed or its end could not be learnt, 2 if a line was no command."""
        return 1 if self._outcome.failed else 2 * self._outcome.no_command

    async def hear(self, text: str) -> None:
        """One line; returns when its reply is final or a question, at once if it ends in `&`."""
        line = parse(text)
        if not line.words or line.words[0].startswith("#"):
            return
        task = asyncio.create_task(self._answer(line))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if line.waited:
            await asyncio.shield(task)

    async def finish(self) -> None:
        """Wait for whatever is not finished."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def resume(self, left: list[Awaitable[Reply]]) -> None:
        """Finish the replies that a predecessor left."""
        for reply in await asyncio.gather(*left):
            self._note(reply)

    def reply_of(self, channel: str, _reply_id: str) -> Callable[[Reply], Awaitable[None]] | None:
        """How to change a predecessor's reply: here a new one is printed."""
        return Paper(self).show if channel == self._channel else None

    async def _answer(self, line: Line) -> None:
        with Paper(self) as paper:
            match line.words:
                case ("/fleet", *words):
                    reply = await self._commands.answer(await self._ask(line, words), paper)
                case ("yes" | "no" as word,):
                    answered = await self._decide(line, word, paper)
                    if answered is None:
                        return
                    reply = answered
                case _:
                    self._outcome.no_command = True
                    await paper.send(Notice(("That is not a command. Try /fleet help.",)))
                    return
            self._note(reply)
            if isinstance(reply, Question):
                asked = Asked(reply, paper.reply_id)
                self._questions.setdefault(line.speaker, []).append(asked)

    async def _decide(self, line: Line, word: str, paper: "Paper") -> Reply | None:
        asked = self._questions.get(line.speaker, [])
        if not asked:
            self._outcome.no_command = True
            await paper.send(Notice((f"{line.speaker} was asked nothing.",)))
            return None
        newest = asked.pop()
        if word == "no":
            reply: Reply = Notice(("Left as it is.",))
            await paper.send(reply)
            return reply
        ask = await self._ask(line, ["deploy", newest.question.target])
        ask = replace(ask, asked=newest.question.asked)
        return await self._commands.confirm(newest.question, ask, paper, newest.reply_id)

    async def _ask(self, line: Line, words: list[str]) -> Ask:
        name = _UNSAFE.sub("-", line.speaker)[:32]
        return Ask(
            caller=await self._speaks_as(line.speaker),
            words=tuple(words),
            platform=PLATFORM,
            channel=self._channel,
            asked=str(next(self._numbers)),
            account=f"{PLATFORM}:{name}",
            name=name,
        )

    def _note(self, reply: Reply) -> None:
        if isinstance(reply, Deploying):
            self._outcome.failed |= reply.progress.stage is not Stage.DONE

    def next_number(self) -> str:
        return str(next(self._numbers))

    def paper(self) -> tuple[Console, bool]:
        return self._console, self._live

    def drawn(self, reply: Reply) -> Text:
        return render(reply, self._clock.now())


class Paper:
    """Where one ask's reply is drawn: printed once it is final, or redrawn in place meanwhile."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._console, self._redraws = terminal.paper()
        self._drawing: Live | None = None
        self.reply_id = ""

    def __enter__(self) -> "Paper":
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawing:
            self._drawing.stop()

    async def send(self, reply: Reply) -> str:
        self.reply_id = self._terminal.next_number()
        await self.show(reply)
        return self.reply_id

    async def edit(self, _reply_id: str, reply: Reply) -> None:
        await self.show(reply)

    async def show(self, reply: Reply) -> None:
        drawn = self._terminal.drawn(reply)
        if is_final(reply) or isinstance(reply, Question):
            if self._drawing:
                self._drawing.update(Text(""))
                self._drawing.stop()
                self._drawing = None
            self._console.print(drawn)
            self._console.print()
        elif self._redraws:
            if self._drawing is None:
                self._drawing = Live(console=self._console, transient=True, auto_refresh=False)
                self._drawing.start()
            self._drawing.update(drawn, refresh=True)


def nobody(name: str) -> Unknown:
    return Unknown(f"`{name}`")


def operator(name: str, accounts: tuple[str, ...]) -> Human:
    account = f"{PLATFORM}:{name}"
    return Human(account, name, operator=account in accounts)
