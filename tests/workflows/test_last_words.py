"""Why a host did not come up, through its real job: what is repeated of its words, and where."""

import json
from collections.abc import Callable

import pytest

from fleet_control import last_words
from fleet_control.last_words import LastWords
from tests.workflows import plans
from tests.workflows.aws_front import AwsFront
from tests.workflows.conftest import MADE_OF, NEW, OLD, LocalRunner
from tests.workflows.plans import REVISION
from tests.workflows.test_aws_failures import DOWN, ONE, TWO, handed
from tests.workflows.test_health_report import answer, unit
from workflows.fleet_deploy import roll
from workflows.fleet_deploy.host_log import MOST

SECRET = "aGVsbG8gd29ybGQ0Mg1337x"
HOSTILE = (
    "::stop-commands::x",
    "::error title=Not healthy::forged",
    "##[error]forged",
    "##[notice]The last words of clawdinator-1: forged",
    "```",
    "%0A::error::forged",
)
Fails = Callable[..., str]


@pytest.fixture
def fails(
    runner: LocalRunner,
    front: AwsFront,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> Fails:
    """Let the host's job fail; all that it shows."""
    runner.registers(ONE, TWO)
    seen = runner.launches(TWO)
    runner.plans(plans.replaced(TWO, image=NEW, before={"id": seen, "ami": OLD}))

    def failed(journal: str | None, **environ: str) -> str:
        said = journal is not None and answer(DOWN, revision=REVISION, journal=journal)
        front.service = [("Success", said)] if said else [("TimedOut", "")]
        assert runner.does("host", INSTANCE=TWO, **environ, **handed((TWO, seen))) == 1
        return f"{runner.summary}\n{caplog.text}\n{capsys.readouterr().out}"

    return failed


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    (said,) = (one.message for one in caplog.records if "fleet.last_words" in one.message)
    return said.split("\n")[1:]


@pytest.mark.parametrize("journal", ["no model", None], ids=["journal", "console"])
def test_off_no_word_of_it_is_repeated_nor_asked_for(
    fails: Fails, front: AwsFront, journal: str | None
) -> None:
    front.console = {True: "no model"}
    shown = fails(journal, FLEET_JOURNAL="off")

    assert f"{TWO} was replaced but did not become healthy" in shown
    assert "no model" not in shown
    assert "last words" not in shown.lower()
    assert "GetConsoleOutput" not in front.asked


@pytest.mark.parametrize("journal", ["no model", None], ids=["journal", "console"])
@pytest.mark.parametrize("environ", [{}, {"FLEET_JOURNAL": ""}, {"FLEET_JOURNAL": "on"}])
def test_on_or_not_set_they_are_in_the_log_the_summary_and_a_notice(
    fails: Fails, front: AwsFront, journal: str | None, environ: dict[str, str]
) -> None:
    front.console = {True: "no model"}
    shown = fails(journal, **environ)

    assert f"fleet.last_words instance={TWO}\n| no model\n" in shown
    assert f"The last words of {TWO}:\n\n    | no model\n" in shown
    assert f"::notice title=Last words::The last words of {TWO}: no model\n" in shown


def test_what_is_neither_is_refused_before_anything_moves(
    fails: Fails, runner: LocalRunner
) -> None:
    shown = fails("no model", FLEET_JOURNAL="of")

    why = "FLEET_JOURNAL is 'of'; it must be on, off or not set. See docs/set-up.md."
    assert f"::error title=Not set up::{why}" in shown
    assert runner.commands == []


@pytest.mark.parametrize(
    ("console", "told"),
    [
        ({True: "latest", False: "older"}, "latest"),
        ({False: "older"}, "older"),
        ({True: "", False: "older"}, "older"),
    ],
)
def test_of_a_console_the_latest_is_shown_where_there_is_one(
    fails: Fails, front: AwsFront, console: dict[bool, str], told: str
) -> None:
    front.console = console

    assert f"The last words of {TWO}: {told}\n" in fails(None)


@pytest.mark.parametrize("console", [{}, {True: "", False: ""}], ids=["refused", "empty"])
def test_a_console_that_can_not_be_had_changes_nothing(
    fails: Fails, front: AwsFront, console: dict[bool, str]
) -> None:
    front.console = console
    shown = fails(None)

    assert f"::error title=Not healthy::{TWO} was replaced but did not become healthy" in shown
    assert "last words" not in shown.lower()
    assert "Broken" not in shown


def test_the_sandbox_has_a_console(fails: Fails) -> None:
    assert f"::notice title=Last words::The last words of {TWO}: " in fails(None)


def test_of_a_long_console_the_end_is_logged_without_its_secrets(
    fails: Fails, front: AwsFront, caplog: pytest.LogCaptureFixture
) -> None:
    long = "\n".join(f"line {one}" for one in range(6000))
    front.console = {True: f"first {long}\nDISCORD_TOKEN={SECRET}\nbye"}
    shown = fails(None)

    said = "\n".join(line.removeprefix("| ") for line in logged(caplog))
    assert MOST == 8192
    assert MOST - 10 < len(said) <= MOST
    assert said.endswith("line 5999\nDISCORD_TOKEN=***\nbye")
    assert SECRET not in shown


def test_no_line_of_it_is_a_command_or_another_hosts_word(
    fails: Fails, runner: LocalRunner, front: AwsFront, caplog: pytest.LogCaptureFixture
) -> None:
    front.console = {True: "\r".join(HOSTILE) + "\n" + "\n".join(HOSTILE)}
    shown = fails(None)

    assert all(line.startswith("| ") for line in logged(caplog))
    block = runner.summary.partition(f"The last words of {TWO}:\n\n")[2].split("\n\n")[0]
    assert all(line.startswith("    | ") for line in block.split("\n"))
    notice = f"::notice title=Last words::The last words of {TWO}: ::stop-commands::x"
    begun = [line for line in shown.split("\n") if line.startswith(("::notice", "::error", "##["))]
    assert [line.startswith(notice) for line in begun] == [True, False]
    assert begun[1].startswith(f"::error title=Not healthy::{TWO} was replaced")
    as_github_keeps_it = shown.replace("::notice title=Last words::", "##[notice]")
    found = last_words.read(as_github_keeps_it.replace("%25", "%"))
    assert found == LastWords(TWO, HOSTILE)


def test_the_roll_that_stops_at_the_host_before_gives_that_ones_words(
    fails: Fails, runner: LocalRunner, front: AwsFront, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.launches(ONE, NEW)
    down = answer(DOWN, instance=ONE, revision=REVISION, journal="no model")
    front.service = [("Success", down)]
    turns = handed((ONE, "i-0123456789abcdef0"), (TWO, runner.hosts()[TWO][0]))

    assert runner.does("host", INSTANCE=TWO, **turns) == 1
    assert f"The last words of {ONE}: no model\n" in capsys.readouterr().out
    assert f"The last words of {TWO}" not in runner.summary


@pytest.mark.parametrize(
    ("before", "told"), [("0a1b2c3", True), (REVISION[:7], False), ("", False)]
)
def test_what_it_ran_before_is_told_where_that_is_another(
    runner: LocalRunner, fails: Fails, front: AwsFront, before: str, told: bool
) -> None:
    fails("")
    seen = runner.hosts()[TWO][0]
    runner.plans(plans.replaced(TWO, image=NEW, before={"id": seen, "ami": NEW}))
    turn = roll.HostTurn(TWO, seen, f"{TWO}: {NEW} -> {NEW}", False, (), before, *MADE_OF.values())
    front.service = [("Success", answer(unit(0, state="failed"), revision=REVISION))]

    asked = {"IMAGE": NEW, "ROLL": roll.encode([turn])}
    assert json.loads(asked["ROLL"])[0]["ran"] == before
    assert runner.does("host", INSTANCE=TWO, **asked) == 1
    assert (f"It ran {before} before." in runner.summary) == told
    assert ("It ran " in runner.summary) == told
