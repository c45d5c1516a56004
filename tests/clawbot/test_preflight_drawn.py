"""How a preflight is told on every front."""

from collections.abc import Callable

import pytest

from clawbot.discord.embeds import embed
from clawbot.discord.markup import BLUE, GREEN, RED
from clawbot.replies import PreflightReport, is_final
from clawbot.telegram import messages
from fleet_control import text_output
from fleet_control.command import Result
from fleet_control.preflight import Check, Outcome, Point, unseen, wrong
from sandbox.discord_api import validate
from sandbox.telegram_api.markup import read_text
from sandbox.terminal.markup import is_settled, render

API = Check("Control API", Outcome.OK, "It answers at `https://x.y`.")
CLOCK = Check("Clock", Outcome.WRONG, "It is 9 min ahead.", "Start `systemd-timesyncd`.")
BUNDLES = Check("Bundles", Outcome.UNSEEN, "They can't be seen from here.", "`clawbot bundle`.")
ALL = PreflightReport((API, BUNDLES, CLOCK))
# As many as one message holds, whatever they say.
MOST = 30


def telegram(report: PreflightReport) -> str:
    return read_text(messages.render(report, 0.0), "HTML")[0]


def test_in_discord_what_is_wrong_comes_first_with_what_to_do() -> None:
    drawn = embed(ALL, 0.0)
    assert (drawn.title, drawn.colour and drawn.colour.value) == ("1 thing is wrong", RED)
    assert (drawn.description or "").splitlines() == [
        "✗ **Clock** · It is 9 min ahead.",
        "-# Start `systemd-timesyncd`.",
        "? **Bundles** · They can't be seen from here.",
        "-# `clawbot bundle`.",
        "✓ **Control API** · It answers at `https://x.y`.",
    ]


def test_in_telegram_what_is_wrong_comes_first_with_what_to_do() -> None:
    assert telegram(ALL).splitlines() == [
        "1 thing is wrong",
        "✗ Clock · It is 9 min ahead.",
        "    Start systemd-timesyncd.",
        "? Bundles · They can't be seen from here.",
        "    clawbot bundle.",
        "✓ Control API · It answers at https://x.y.",
    ]


def test_in_a_terminal_what_is_wrong_comes_first_with_what_to_do() -> None:
    assert render(ALL, 0.0).plain.splitlines() == [
        "1 thing is wrong",
        "✗ Clock: It is 9 min ahead.",
        "  Start systemd-timesyncd.",
        "? Bundles: They can't be seen from here.",
        "  clawbot bundle.",
        "✓ Control API: It answers at https://x.y.",
    ]


def test_for_an_agent_what_is_wrong_comes_first_with_what_to_do() -> None:
    assert Result(text_output.preflight(ALL.checks), {}).shown(as_json=False).splitlines() == [
        "1 thing is wrong.",
        "✗ Clock: It is 9 min ahead.",
        "  Start `systemd-timesyncd`.",
        "? Bundles: They can't be seen from here.",
        "  `clawbot bundle`.",
        "✓ Control API: It answers at `https://x.y`.",
    ]


def in_text(report: PreflightReport) -> str:
    return Result(text_output.preflight(report.checks), {}).shown(as_json=False)


@pytest.mark.parametrize(
    "shown",
    [
        lambda report: embed(report, 0.0).description,
        telegram,
        lambda report: render(report, 0.0, 200).plain,
        in_text,
    ],
)
def test_what_is_unseen_for_one_reason_is_one_row(shown: Callable[[PreflightReport], str]) -> None:
    """With the names of all of it, in its order; what is wrong has a row each."""
    late = ("There was no answer in 10 s.", "Look again in a minute.")
    report = PreflightReport(
        (
            wrong(Point.API, "It is away.", "Wait."),
            wrong(Point.TOKEN, "It is away.", "Wait."),
            unseen(Point.SECRETS),
            unseen(Point.BUNDLES, *late),
            unseen(Point.SEED),
            unseen(Point.ROLES, late[0], "Ask with others."),
            unseen(Point.DOCUMENT),
        )
    )
    told = shown(report).replace("*", "").replace("`", "")
    assert told.count("It is away.") == 2
    assert told.count("This can't be seen from here.") == told.count("at a desk sees it.") == 1
    rows = [row for row in told.splitlines() if row.startswith("?")]
    assert [row[2:].startswith(names) for row, names in zip(rows, NAMES, strict=True)] == [True] * 3


NAMES = ("secrets, seed, SSM document", "bundles", "roles and users")


def test_all_that_may_be_unseen_at_once_is_named() -> None:
    report = PreflightReport((*(unseen(point, "No.", "Wait.") for point in Point),))
    names = ", ".join(Point)
    for shown in (
        (embed(report, 0.0).description or ""),
        telegram(report),
        in_text(report),
        " ".join(render(report, 0.0).plain.split()),
    ):
        assert names in shown.replace("*", "")


@pytest.mark.parametrize(
    ("checks", "head", "colour"),
    [
        ((CLOCK, CLOCK, BUNDLES), "2 things are wrong", RED),
        ((API, API), "Ready", GREEN),
        ((API, BUNDLES), "Ready, as far as can be seen from here", GREEN),
    ],
)
def test_the_head_says_what_it_came_to(checks: tuple[Check, ...], head: str, colour: int) -> None:
    drawn = embed(PreflightReport(checks), 0.0)
    assert (drawn.title, drawn.colour and drawn.colour.value) == (head, colour)
    assert telegram(PreflightReport(checks)).splitlines()[0] == head


def test_while_it_looks_it_says_at_how_many_things_and_how_long() -> None:
    looking = PreflightReport(looked_at=20)
    told = "Looking at 20 things, 10 seconds at most"
    drawn = embed(looking, 0.0)
    assert (drawn.title, drawn.colour and drawn.colour.value) == (told, BLUE)
    assert telegram(looking) == render(looking, 0.0).plain == told
    assert [is_final(one) for one in (looking, ALL)] == [False, True]
    assert [is_settled(one) for one in (looking, ALL)] == [False, True]


@pytest.mark.parametrize("text", ["x" * 900, "*" * 900, "`a` " * 300, "🦞" * 900, "&" * 900])
def test_every_thing_is_named_and_what_to_do_begun_however_much_there_is_to_say(text: str) -> None:
    checks = tuple(
        Check(f"Thing {number:02}", Outcome.WRONG, text, f"do {text}") for number in range(MOST)
    )
    drawn = embed(PreflightReport(checks), 0.0)
    assert validate.message({"embeds": [drawn.to_dict()]}) == []
    for shown in (
        (drawn.description or "").splitlines(),
        telegram(PreflightReport(checks)).splitlines()[1:],
    ):
        assert len(shown) == 2 * MOST
        for check, told, advice in zip(checks, shown[::2], shown[1::2], strict=True):
            assert told.replace("*", "").startswith(f"✗ {check.name} ")
            assert advice.replace("-# ", "").strip().startswith("do ")


def test_what_is_wrong_has_the_room_that_the_rest_leaves() -> None:
    long = CLOCK._replace(told="x" * 300, advice="y" * 250)
    report = PreflightReport((*(API._replace(name=f"API {n}") for n in range(20)), long))
    drawn = embed(report, 0.0).description or ""
    assert "x" * 300 + "\n-# " + "y" * 250 in drawn
    assert "x" * 300 + "\n    " + "y" * 250 in telegram(report)


def test_one_thing_has_seven_hundred_characters_at_the_most_and_half_for_its_name() -> None:
    long = Check("n" * 400, Outcome.OK, "x" * 900)
    in_discord = embed(PreflightReport((long,)), 0.0).description or ""
    (in_telegram,) = telegram(PreflightReport((long,))).splitlines()[1:]
    # A line for what to do would have the rest.
    assert len(in_discord) == 700 - len("\n-# ")
    assert in_discord.startswith(f"✓ **{'n' * 349}…** · xxx")
    assert len(in_telegram) == 700 - len("\n    ")
    assert in_telegram.startswith(f"✓ {'n' * 349}… · xxx")
