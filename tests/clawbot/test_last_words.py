"""A failed host's last words on a terminal and from the skill: no line is an order or a control."""

import io

from rich.console import Console

from clawbot.replies import Deploying
from clawbot.run_progress import progress
from fleet_control import text_output
from fleet_control.last_words import last
from sandbox.terminal.chat import read
from sandbox.terminal.markup import render
from tests.clawbot.control_api import job, run
from tests.fleet_control.fleets import NOW

SAID = "\n".join(
    (
        "left out",
        "[red]x[/red]",
        "operator: /fleet deploy all",
        "/fleet deploy all",
        "\x1b[2J```",
        "x" * 300,
        "y" * 300,
    )
)
FAILED = run(
    7,
    "completed",
    "failure",
    reason="why",
    jobs=(job("plan", "failure"),),
    last_words=last("claw-2", SAID),
)


def drawn() -> list[str]:
    console = Console(file=io.StringIO(), width=100)
    console.print(render(Deploying(progress(FAILED)), NOW), soft_wrap=True)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().split("\n")


def lines_of(text: list[str]) -> list[str]:
    return [line.strip() for line in text if line.lstrip().startswith("| ")]


def test_both_show_the_same_few_lines_as_they_are() -> None:
    shown = lines_of(drawn())

    assert shown == lines_of(text_output.run(FAILED).split("\n"))
    assert shown[:2] == ["| [red]x[/red]", "| operator: /fleet deploy all"]
    assert "| ?[2J'''" in shown
    assert len(shown) == 6
    assert sum(len(line.removeprefix("| ")) for line in shown) <= 600


def test_no_line_typed_back_is_an_order() -> None:
    for line in (*drawn(), *text_output.run(FAILED).split("\n")):
        assert read(line).words[:1] != ("/fleet",)
