"""What a person sees below while deploys live."""

import io

import pytest
from rich.console import Console

from clawbot.replies import asking
from sandbox.line_editor import LineEditor
from sandbox.terminal_surface import Screen
from tests.clock import TurnedClock


@pytest.mark.parametrize("height", [8, 12, 24])
async def test_however_many_deploys_live_the_prompt_is_seen(height: int) -> None:
    paper = io.StringIO()
    console = Console(file=paper, force_terminal=True, width=90, height=height)
    editor = LineEditor()
    with Screen(console, TurnedClock(), editor) as screen:
        for number in range(9):
            screen.show("", str(number), asking("claw-1", "", "terminal:operator"))
        editor.feed("/fleet sta")
        before = len(paper.getvalue())
        screen.refresh()
        frame = paper.getvalue()[before:]

    assert "/fleet sta" in frame
    assert " more" in frame
    assert frame.count("\n") < height
