"""What a person at the demo's prompt types, and what they see."""

import signal
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from sandbox.terminal.prompt import CommandCompleter
from tests.sandbox.terminal_user import at_a_terminal

UP = "\x1b[A"
HELP = "/fleet status: every(.*\n)*.* can be asked"
CTRL_C, CTRL_D, CTRL_U = "\x03", "\x04", "\x15"


def test_lines_are_typed_corrected_and_recalled_until_ctrl_d() -> None:
    with at_a_terminal() as (person, _):
        person.ends_up_seeing("Ctrl-D ends it all\n\n>")
        person.types("/fleet hepl\x7f\x7flp\r")
        person.ends_up_seeing(f"> /fleet help\n{HELP}\n\n>")
        person.types("stranger: yes\r")
        person.ends_up_seeing("stranger was asked nothing.\n\n>")
        person.types(UP + UP)
        person.ends_up_seeing("nothing.\n\n> /fleet help")
        person.types(CTRL_D + "\r")  # on a line that is not empty it ends nothing
        person.ends_up_seeing(f"nothing.\n\n> /fleet help\n{HELP}\n\n>")
        person.types(CTRL_D)
        assert "\n>\n" not in person.sees("GitHub ran 0 deploys.")
        person.is_left_with(0)


def test_what_is_typed_ahead_or_pasted_is_a_script_heard_line_by_line() -> None:
    with at_a_terminal() as (person, _):
        person.types("/fleet deploy all\rno\r")  # there is no prompt yet
        person.ends_up_seeing("> no\nNothing was deployed: all was left as it is.\n\n>")
        person.types("stranger: ")
        person.pastes("/fleet status\r\n/fleet deploy all\nno\n/fleet he")
        person.ends_up_seeing(
            "> stranger: /fleet status\n(.*\n)*> no\nNothing .* left as it is.\n\n> /fleet he"
        )
        person.types("\tx")
        person.ends_up_seeing("\n> /fleet help x")
        person.types(CTRL_C)
        person.is_left_with(130)


def test_a_deploy_is_redrawn_in_place_above_what_is_typed_and_after_ctrl_d_to_its_end() -> None:
    with at_a_terminal() as (person, _):
        person.types("/fleet deploy clawdinator-2\r")
        person.ends_up_seeing("deploy clawdinator-2: planning.*\n(.*\n)*\n>")
        person.types("not yet")
        screen = person.ends_up_seeing("deploy clawdinator-2: replacing.*\n(.*\n)*\n> not yet")
        began = screen.partition("replacing, ")[2].partition(" s\n")[0]
        screen = person.sees(rf"deploy clawdinator-2: replacing, (?!{began} s)\d+ s\n")
        assert screen.count("deploy clawdinator-2: ") == 1
        person.types(CTRL_U + CTRL_D + "x\r")
        screen = person.sees("\n\nwaiting for the end of this; Ctrl-C leaves at once")
        assert "▸ deploy clawdinator-2: replacing" in screen
        screen = person.sees("✓ deploy clawdinator-2: done", "GitHub ran 1 deploy:")
        assert screen.count("deploy clawdinator-2: ") == 1
        assert "waiting" not in screen
        counted = int(screen.partition("GitHub counted ")[2].partition(" calls")[0])
        asked = int(screen.partition("Control API was called ")[2].partition(" times")[0])
        assert 5 <= counted <= asked
        person.is_left_with(0)


def test_however_many_deploys_live_the_prompt_is_seen() -> None:
    with at_a_terminal(lines=8) as (person, _):
        person.ends_up_seeing("\n>")
        person.pastes("/fleet deploy clawdinator-1 &\n" * 9 + "/fleet sta")
        for lines in (8, 12, 24, 9):
            person.resizes(lines)
            person.ends_up_seeing(rf"… \d+ lines more\n(.*\n){{{lines - 3}}}> /fleet sta")
        person.process.send_signal(signal.SIGTERM)
        person.is_left_with(128 + signal.SIGTERM)


def test_a_terminal_that_is_closed_ends_it_without_a_trace(tmp_path: Path) -> None:
    said = tmp_path / "said"
    with (
        said.open("w") as errors,
        at_a_terminal(errors=errors, TMPDIR=str(tmp_path)) as (person, terminal),
    ):
        person.types("/fleet status\r")
        person.sees("IMAGES")
        terminal.close()
        assert person.process.wait(60) == 128 + signal.SIGHUP

    assert said.read_text() == ""
    assert list(tmp_path.iterdir()) == [said]


@pytest.mark.parametrize(
    ("typed", "next_"),
    [
        ("", "/fleet |claw-1: |claw-2: "),
        ("/", "/fleet "),
        ("/fleet s", "status |stop "),
        ("/fleet deploy ", "all |claw-1 |claw-2 "),
        ("/fleet deploy c", "claw-1 |claw-2 "),
        ("/fleet deploy x", ""),
        ("/fleet deploy all c", ""),
        ("claw-1", "claw-1: "),
        ("claw-1: /f", "/fleet "),
        ("stranger: /fleet d", "deploy "),
    ],
)
def test_tab_knows_what_can_come_next(typed: str, next_: str) -> None:
    completer = CommandCompleter(lambda: ("claw-1", "claw-2"))

    found = completer.get_completions(Document(typed), CompleteEvent(completion_requested=True))

    assert "|".join(one.text for one in found) == next_
