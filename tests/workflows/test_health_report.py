"""A host's own answer: read as a stranger's, and held to what was asked."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.fleet_deploy.health_report import (
    AGENT,
    ReportError,
    Wanted,
    missing,
    read,
    remarks,
)

REVISION, OTHER = "a" * 40, "b" * 40
TWO = "clawdinator-2"
BOT = "clawbot.service"
STEADY = 120.0
WANTED = Wanted(TWO, REVISION, STEADY)


def unit(active_seconds: object = STEADY, **other: Any) -> dict[str, Any]:
    usual = {"state": "active", "sub": "running", "invocation": "c" * 32, "restarts": 0}
    return {**usual, "active_seconds": active_seconds, **other}


def answer(agent: dict[str, Any], bot: dict[str, Any] | None = None, **other: Any) -> str:
    units = {AGENT: agent} | ({BOT: bot} if bot else {})
    return json.dumps(
        {"instance": TWO, "revision": REVISION, "units": units, "journal": "", **other}
    )


def lacks(text: str, wanted: Wanted = WANTED) -> str:
    return missing(read(text), wanted)


def crashing(every: float, age: float) -> dict[str, Any]:
    """A unit that ends after so long and is started again at once, at that age of its host."""
    return unit(age % every, restarts=int(age // every))


@pytest.mark.parametrize("every", [3, 30, 119])
def test_a_service_that_keeps_dying_is_healthy_at_no_second(every: float) -> None:
    for second in range(3600):
        said = lacks(answer(crashing(every, second)))
        assert said.startswith(f"{AGENT} is active for "), second
        assert ("restarted" in said) == (second >= every), second


def test_one_that_restarts_once_after_100_s_is_healthy_at_220_s_and_named() -> None:
    def at(second: float) -> str:
        began, times = (0, 0) if second < 100 else (100, 1)
        return answer(unit(second - began, restarts=times))

    healthy = [second for second in range(400) if not lacks(at(second))]

    assert healthy == list(range(220, 400))
    assert remarks(read(at(220))) == f"{AGENT} restarted once"
    assert not remarks(read(at(99)))


def test_a_bot_that_crash_loops_beside_a_healthy_agent_is_named() -> None:
    looping = unit(0, state="activating", sub="auto-restart", restarts=41)

    assert lacks(answer(unit(), looping)) == (
        f"{BOT} is activating (auto-restart, restarted 41 times)"
    )
    assert lacks(answer(looping, unit())).startswith(f"{AGENT} is activating")


def test_a_host_without_a_bot_is_held_to_its_agent_alone() -> None:
    assert not lacks(answer(unit()))
    assert lacks(answer(unit(119))) == f"{AGENT} is active for 119 of 120 seconds (running)"


def test_a_unit_that_never_started_is_not_steady() -> None:
    assert lacks(answer(unit(invocation=""))).startswith(AGENT)


def test_what_a_unit_says_of_itself_is_told_in_harmless_words_and_makes_no_host_ill() -> None:
    away = unit(status="Telegram is away; <@1> `/fleet` @everyone")

    assert not lacks(answer(unit(), away))
    told = "clawbot.service says: Telegram is away; 1 fleet everyone"
    assert remarks(read(answer(unit(), away))) == told
    assert not remarks(read(answer(unit(), unit())))


def test_another_revision_is_told_in_short() -> None:
    assert lacks(answer(unit(), revision=OTHER)) == "runs bbbbbbb and not aaaaaaa"
    assert lacks(answer(unit(), revision="")) == "runs no revision and not aaaaaaa"
    assert not lacks(answer(unit(), revision=OTHER), Wanted(TWO, "", STEADY))


def test_anothers_name_is_told_before_all_else() -> None:
    said = answer(unit(1), instance="clawdinator-1", revision=OTHER)

    assert lacks(said) == "says that it is clawdinator-1"


def test_an_answer_that_is_too_long_is_not_read() -> None:
    with pytest.raises(ReportError, match="answered with 1000000 characters"):
        read("1" * 1_000_000)
    room = 20_000 - len(answer(unit()))
    assert not lacks(answer(unit()) + " " * room)
    with pytest.raises(ReportError, match="answered with 20001 characters"):
        read(answer(unit()) + " " * (room + 1))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "active\n",
        "null",
        "[]",
        "[" * 19_000,
        "{}",
        answer(unit(), more="x"),
        answer(unit(), instance="::error::x"),
        answer(unit(), instance=7),
        answer(unit(), revision="HEAD"),
        answer(unit(), revision=None),
        answer(unit(), journal=None),
        answer(unit(), journal="x" * 8193),
        answer(unit(), journal="\x1b[2J"),
        answer(unit(), units={}),
        answer(unit(), units={BOT: unit()}),
        answer(unit(), units=[AGENT]),
        answer(unit(), units={AGENT: unit(), **{f"u{n}.service": unit() for n in range(8)}}),
        answer(unit(), units={AGENT: unit(), "@everyone": unit()}),
        answer(unit(state="active\n::error::x")),
        answer(unit(sub="x" * 25)),
        answer(unit(status="x" * 121)),
        answer(unit(status=7)),
        answer(unit(invocation="c" * 31)),
        answer(unit(active_seconds="long")),
        answer(unit(active_seconds=True)),
        answer(unit(active_seconds=-1)),
        answer(unit(active_seconds=float("nan"))),
        answer(unit(active_seconds=float("inf"))),
        answer(unit(restarts=-1)),
        answer(unit(restarts=0.5)),
        answer({**unit(), "more": 1}),
        answer(unit()).replace('"running"', "7"),
        answer(unit()).replace('"restarts": 0', '"restarts": 1' + "0" * 5000),
        answer(unit()).replace('"active_seconds": 120.0', '"active_seconds": 1' + "0" * 400),
    ],
)
def test_what_a_host_would_not_say_is_no_answer(text: str) -> None:
    with pytest.raises(ReportError, match="answered what can't be read"):
        read(text)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
# Whoever speaks knows the form, and puts what he likes into one field of it.
HOSTILE = ANY | st.sampled_from(
    [
        "@everyone",
        "::error::x",
        "`/fleet deploy all`",
        "<@1>",
        "a\n",
        "\x1b[2J",
        "x" * 9000,
        10**400,
    ]
)
FIELDS = ("instance", "revision", "units", "journal", "else")
UNIT_FIELDS = ("state", "sub", "invocation", "active_seconds", "restarts", "else")
PLAIN = re.compile(r"[A-Za-z0-9 .,;()'-]*")


@st.composite
def nearly_answers(draw: st.DrawFn) -> str:
    more: dict[str, Any] = draw(st.dictionaries(st.sampled_from(FIELDS), HOSTILE, max_size=1))
    of_units = st.dictionaries(st.sampled_from(UNIT_FIELDS), HOSTILE, max_size=1)
    said = unit(draw(st.sampled_from([STEADY, 1])), restarts=draw(st.integers(0, 10**30)))
    name = draw(st.just(BOT) | st.text())
    units = {AGENT: said | draw(of_units), name: said | draw(of_units)}
    return answer(unit(), **({"units": units} | more))


def repeated(text: str) -> Iterator[str]:
    """Everything that a run says of what was answered."""
    try:
        found = read(text)
    except ReportError as error:
        yield str(error)
    else:
        yield missing(found, WANTED)
        yield missing(found, Wanted(found.instance, "", STEADY))
        yield missing(found, Wanted(found.instance, OTHER, STEADY))
        yield remarks(found)


@given(st.text() | ANY.map(json.dumps) | nearly_answers())
def test_whatever_is_answered_only_plain_words_are_repeated(text: str) -> None:
    for words in repeated(text):
        assert PLAIN.fullmatch(words)


def test_restarts_are_counted_up_to_9999() -> None:
    assert remarks(read(answer(unit(restarts=20_000)))) == f"{AGENT} restarted 9999 times"
