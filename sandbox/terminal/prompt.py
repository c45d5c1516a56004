"""The demo's interactive prompt; replies scroll up above the line that is typed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.shortcuts import CompleteStyle
from rich.console import Console, Group
from rich.text import Text

from clawbot.commands import COMMANDS, OptionKind
from clawbot.replies import Reply
from fleet_control.caller import ALL
from fleet_control.clock import Clock
from sandbox.terminal.markup import PROMPT, heard, is_settled, render

# So that a deploy's seconds can be seen to pass.
_TICK_SECONDS = 0.5
# The prompt, what says that lines are left out, and one more for what is typed.
_LINES_LEFT = 3


class Prompt:
    """Settled replies scroll up; the others are redrawn above the line that is typed.

    `ids` are the instances that Tab knows.
    """

    def __init__(self, console: Console, clock: Clock, ids: Callable[[], Sequence[str]]) -> None:
        self._console = console
        self._clock = clock
        self._living: dict[str, Reply] = {}
        self._leaving = False
        self._session = PromptSession[None](
            self._above_what_is_typed,
            completer=CommandCompleter(ids),
            complete_style=CompleteStyle.READLINE_LIKE,
            erase_when_done=True,
            refresh_interval=_TICK_SECONDS,
        )

    async def converse(
        self, hear: Callable[[Iterable[str]], None], finish: Callable[[], Awaitable[None]]
    ) -> None:
        """Hear the lines that are typed until Ctrl-D, then show the last replies to their end."""
        buffer, keys = self._session.default_buffer, KeyBindings()
        buffer.read_only = Condition(lambda: self._leaving)
        buffer.accept_handler = _in_one_go(hear)

        @keys.add(Keys.BracketedPaste)
        def _(event: KeyPressEvent) -> None:
            *lines, rest = event.data.replace("\r", "\n").split("\n")
            for line in lines:
                buffer.insert_text(line)
                buffer.validate_and_handle()
            buffer.insert_text(rest)

        @keys.add("c-d", filter=Condition(lambda: not buffer.text))
        def _(event: KeyPressEvent) -> None:
            if not self._leaving:
                self._leaving = True
                event.app.create_background_task(leave())

        async def leave() -> None:
            await finish()
            self._session.app.exit()

        with suppress(EOFError):  # the terminal is gone
            await self._session.prompt_async(key_bindings=keys, set_exception_handler=False)
        await finish()

    def hear(self, said: str) -> None:
        self._print(heard(said))

    def show(self, _said: str, reply_id: str, reply: Reply) -> None:
        if is_settled(reply):
            self._living.pop(reply_id, None)
            self._print(self._drawn(reply), Text())
        else:
            self._living[reply_id] = reply
            self._session.app.invalidate()

    def _print(self, *lines: Text) -> None:
        run_in_terminal(lambda: self._console.print(Group(*lines)))

    def _above_what_is_typed(self) -> ANSI:
        if self._leaving:
            waits = "waiting for the end of this; Ctrl-C leaves at once" if self._living else ""
            last = Text(waits, style="dim", end="")
        else:
            last = Text(PROMPT, style="bold", end="")
        with self._console.capture() as drawn:
            self._console.print(Group(*self._alive(), last), end="")
        return ANSI(drawn.get())

    def _alive(self) -> list[Text]:
        """The last lines of the replies that are not settled, as many as fit above the prompt."""
        drawn = [self._drawn(reply) for reply in self._living.values()]
        found = [line for one in drawn for line in (*one.split("\n"), Text())]
        for line in found:
            line.no_wrap, line.overflow = True, "ellipsis"
        over = len(found) - self._console.height + _LINES_LEFT
        return found if over <= 0 else [Text(f"… {over} lines more", style="dim"), *found[over:]]

    def _drawn(self, reply: Reply) -> Text:
        return render(reply, self._clock.now(), self._console.width)


def _in_one_go(hear: Callable[[Iterable[str]], None]) -> Callable[[Buffer], bool]:
    """Lines that arrive together were pasted or typed ahead: a script, heard line by line."""
    typed: list[str] = []

    def heard_together() -> None:
        hear([*typed])
        typed.clear()

    def accept(buffer: Buffer) -> bool:
        if not typed:
            asyncio.get_running_loop().call_soon(heard_together)
        typed.append(buffer.text)
        return False  # an empty line is next

    return accept


class CommandCompleter(Completer):
    """The words that can come next in a line; `ids` are the registry's."""

    def __init__(self, ids: Callable[[], Sequence[str]]) -> None:
        self._ids = ids

    def get_completions(self, document: Document, _: CompleteEvent) -> Iterator[Completion]:
        *said, begun = document.text_before_cursor.split(" ")
        for word in self._next([word for word in said if word]):
            if word.startswith(begun):
                yield Completion(f"{word} ", -len(begun))

    def _next(self, said: list[str]) -> Iterable[str]:
        match said:
            case [*_, "/fleet"]:
                return [command.name for command in COMMANDS]
            case [*_, "/fleet", name] if _begins_with_a_target(name):
                return (ALL, *self._ids())
            case [] | [_]:
                return ("/fleet", *(f"{id_}:" for id_ in self._ids()))
            case _:
                return ()


def _begins_with_a_target(name: str) -> bool:
    return any(
        one.name == name and one.options and one.options[0].kind is OptionKind.TARGET
        for one in COMMANDS
    )
