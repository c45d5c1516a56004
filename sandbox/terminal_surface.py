"""Where a terminal's replies appear: printed once they are final, or redrawn until they are."""

import asyncio
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from clawbot.replies import Question, Reply, is_final
from fleet_control.clock import Clock
from sandbox.line_editor import LineEditor
from sandbox.terminal_markup import PROMPT, heard, render

# So that a deploy's seconds can be seen to pass.
_TICK_SECONDS = 0.5
_PROMPT_LINES = 3
# Of a reply that lives.
_FEWEST_LINES = 3


class Surface(Protocol):
    """`said` is the line that a reply answers; empty where that was in an earlier life."""

    def hear(self, said: str) -> None: ...

    def show(self, said: str, reply_id: str, reply: Reply) -> None: ...


def is_settled(reply: Reply) -> bool:
    """Whether nothing more will happen to this reply by itself."""
    return is_final(reply) or isinstance(reply, Question)


class Sheet:
    """For a pipe: each line and, once it is settled, its reply. Nothing is ever taken back."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock
        self._last_said = ""

    def hear(self, said: str) -> None:
        self._console.print(heard(said), soft_wrap=True)
        self._last_said = said

    def show(self, said: str, _reply_id: str, reply: Reply) -> None:
        if not is_settled(reply):
            return
        if said and said != self._last_said:
            self.hear(said)  # other lines came between: say again what this answers
        self._console.print(render(reply, self._clock.now()), soft_wrap=True)
        self._console.print()


class Screen:
    """For a person: what is settled scrolls up; what still lives, and the prompt, stay below."""

    def __init__(self, console: Console, clock: Clock, editor: LineEditor) -> None:
        self._console = console
        self._clock = clock
        self._editor = editor
        self._living: dict[str, Reply] = {}
        self._leaving = False
        self._live = Live(
            console=console,
            get_renderable=self._below,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._ticking: asyncio.Task[None] | None = None

    def __enter__(self) -> "Screen":
        self._live.start(refresh=True)
        self._ticking = asyncio.create_task(self._tick())
        return self

    def __exit__(self, *_: object) -> None:
        if self._ticking:
            self._ticking.cancel()
        self._live.stop()

    def refresh(self) -> None:
        self._live.refresh()

    def leave(self) -> None:
        """No more lines will come; what still lives goes on."""
        self._leaving = True
        self.refresh()

    def hear(self, said: str) -> None:
        self._console.print(heard(said))

    def show(self, _said: str, reply_id: str, reply: Reply) -> None:
        if is_settled(reply):
            self._living.pop(reply_id, None)
            self._console.print(self._drawn(reply))
            self._console.print()
        else:
            self._living[reply_id] = reply
        self.refresh()

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(_TICK_SECONDS)
            if self._living:
                self.refresh()

    def _below(self) -> Group:
        """The latest that fit, so that the prompt is never pushed out."""
        height = self._console.height - _PROMPT_LINES
        living = list(self._living.values())
        hidden = max(0, len(living) - max(1, height // (_FEWEST_LINES + 1)))
        room = max(_FEWEST_LINES, height // max(1, len(living) - hidden) - 1)
        parts = [Text(f"… and {hidden} more", style="dim")] if hidden else []
        for reply in living[hidden:]:
            parts += [*_fitting(self._drawn(reply), room), Text()]
        return Group(*parts, self._prompt())

    def _drawn(self, reply: Reply) -> Text:
        return render(reply, self._clock.now(), self._console.width)

    def _prompt(self) -> Text:
        if self._leaving:
            waits = "waiting for the end of this; Ctrl-C leaves at once" if self._living else ""
            return Text(waits, style="dim")
        typed, at = self._editor.text, self._editor.cursor
        under = typed[at : at + 1] or " "
        return Text.assemble(
            (PROMPT, "bold"), typed[:at], (under, "reverse"), typed[at + 1 :], overflow="fold"
        )


def _fitting(drawn: Text, room: int) -> list[Text]:
    """At most `room` lines, none of which wraps."""
    found = list(drawn.split("\n"))
    if len(found) > room:
        found = [*found[: room - 1], Text(f"  … {len(found) - room + 1} lines more", style="dim")]
    for line in found:
        line.no_wrap, line.overflow = True, "ellipsis"
    return found
