"""What the log's lines are, in text and in JSON, whatever is in their values."""

import json
import logging
import math
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from clawbot.log_line import OWN, begin, formatter
from clawbot.settings import LogForm
from fleet_control.ledger import RequestId

AT = 1795512345.6789
HOSTILE = [
    "a\nINFO clawbot.ask fleet.asked by=discord:1",
    "a\r\nb",
    'say "yes"',
    "it's",
    "a=b code=none",
    "\u2028\u2029\u0085\u202e\x1b[2J",
    "",
    "%s %(x)s",
    "\\",
]


def record(said: object, *args: object, logger: str = "clawbot.ask") -> logging.LogRecord:
    made = logging.LogRecord(logger, logging.INFO, "ask.py", 1, said, args, None)
    made.created = AT
    return made


def in_json(one: logging.LogRecord, *secrets: str) -> dict[str, Any]:
    line = formatter(LogForm.JSON, secrets).format(one)
    assert line.isascii()
    assert line.isprintable()
    read: dict[str, Any] = json.loads(line)
    return read


def in_text(one: logging.LogRecord) -> str:
    return formatter(LogForm.TEXT).format(one)


def test_an_event_is_its_name_and_its_fields() -> None:
    request_id = RequestId("discord", "claw-1", "7", "8")
    said = record("fleet.refused code=%s by=%s request_id=%s", "busy", "discord:1", request_id)
    assert in_json(said) == {
        "time": "2026-11-24T09:25:45.678Z",
        "level": "info",
        "event": "fleet.refused",
        "logger": "clawbot.ask",
        "code": "busy",
        "by": "discord:1",
        "request_id": "discord.claw-1.7.8",
    }
    assert in_text(said) == (
        "INFO clawbot.ask fleet.refused code=busy by=discord:1 request_id=discord.claw-1.7.8"
    )


def test_numbers_and_truths_are_such_in_json() -> None:
    said = record("fleet.x a=%s b=%s c=%s d=%s", 7, 1.5, False, None)
    assert [in_json(said)[name] for name in "abcd"] == [7, 1.5, False, None]
    assert in_text(said).endswith("fleet.x a=7 b=1.5 c=False d=None")


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_number_that_json_has_not_is_said_in_words(value: float) -> None:
    assert in_json(record("fleet.x a=%s", value))["a"] == str(value)


@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_is_taken_for_a_name_or_a_line(value: str) -> None:
    said = record("fleet.asked name=%s what=%s", value, "help")
    assert in_json(said)["name"] == value
    assert list(in_json(said)) == ["time", "level", "event", "logger", "name", "what"]
    line = in_text(said)
    assert line.isprintable()
    before, after = "INFO clawbot.ask fleet.asked name=", " what=help"
    assert line.startswith(f'{before}"') or line == f"{before}{value}{after}"
    assert line.endswith(after)
    shown, end = json.JSONDecoder().raw_decode(line, len(before)) if '"' in line else (value, 0)
    assert not end or line[end:] == after
    assert value.isprintable() == (shown == value)


def test_a_mapping_is_a_value_as_any_other() -> None:
    assert in_json(record("fleet.x a=%s", {"b": 1}))["a"] == "{'b': 1}"


def test_what_is_not_seen_is_quoted_where_nothing_else_needs_that() -> None:
    assert in_text(record("fleet.x a=%s", "a\u202eb")) == 'INFO clawbot.ask fleet.x a="a?b"'


def test_text_shows_where_a_line_ended() -> None:
    said = record("fleet.asked name=%s", "a\nINFO x")
    assert in_text(said) == 'INFO clawbot.ask fleet.asked name="a ⏎ INFO x"'


@pytest.mark.parametrize(
    ("said", "args", "logger", "message"),
    [
        ("Shard ID %s has connected", (1,), "discord.gateway", "Shard ID 1 has connected"),
        # A library that logs what somebody wrote makes no event of ours.
        ("fleet.asked", (), "telegram.ext", "fleet.asked"),
        ("no %s", (), "aiohttp", "no %s"),
        ("too few %s %s", (1,), "aiohttp", "too few %s %s"),
        ("Task was destroyed", (), "asyncio", "Task was destroyed"),
        ("fleet.x a=%s b=%s", (1,), "clawbot.ask", "fleet.x a=%s b=%s"),
        # An object that says itself in words.
        (KeyError("fleet"), (), "clawbot.ask", "'fleet'"),
    ],
)
def test_what_a_library_says_is_a_message(
    said: object, args: tuple[object, ...], logger: str, message: str
) -> None:
    line = in_json(record(said, *args, logger=logger))
    assert line == {
        "time": "2026-11-24T09:25:45.678Z",
        "level": "info",
        "logger": logger,
        "message": message,
    }
    assert in_text(record(said, *args, logger=logger)) == f"INFO {logger} {message}"


def test_a_message_is_one_line_of_text() -> None:
    said = record("%s", "bad\nINFO clawbot.ask fleet.asked", logger="discord")
    assert in_text(said) == "INFO discord bad ⏎ INFO clawbot.ask fleet.asked"


def broken(words: str) -> logging.LogRecord:
    said = record("fleet.broken_inside request_id=%s", "x")
    try:
        raise ValueError(words)
    except ValueError:
        said.exc_info = sys.exc_info()
    return said


def test_an_exception_is_one_field_and_begins_no_line() -> None:
    said = broken("one\nINFO clawbot.ask fleet.asked")
    trace = in_json(said)["exception"]
    assert trace.startswith("Traceback (most recent call last):\n")
    assert trace.endswith("ValueError: one\nINFO clawbot.ask fleet.asked")
    first, *rest = in_text(said).split("\n")
    assert first == "INFO clawbot.ask fleet.broken_inside request_id=x"
    assert len(rest) >= 4
    assert all(line.startswith("  | ") for line in rest)


def test_a_stack_is_told_as_an_exception_is() -> None:
    said = record("fleet.x")
    said.stack_info = "Stack (most recent call last):\n  in ask"
    assert in_json(said)["exception"] == said.stack_info
    assert in_text(said).endswith("fleet.x\n  | Stack (most recent call last):\n  |   in ask")


@pytest.mark.parametrize("form", list(LogForm))
@pytest.mark.parametrize(
    "said",
    [
        record("fleet.x why=%s", "it was s3cret-1"),
        record("url %s", "https://s3cret-1@x", logger="aiohttp"),
        broken("s3cret-1"),
    ],
    ids=["value", "message", "exception"],
)
def test_no_secret_is_in_any_line(form: LogForm, said: logging.LogRecord) -> None:
    line = formatter(form, ["s3cret-1", "INFO"]).format(said)
    assert "s3cret-1" not in line
    assert "***" in line


def test_a_secret_of_fewer_than_eight_characters_is_found_in_innocent_words() -> None:
    said = record("fleet.x why=%s", "abcdefgh")
    assert in_json(said, "abcdefg")["why"] == "abcdefgh"
    assert in_json(said, "abcdefgh")["why"] == "***"


def test_every_name_that_a_line_has_by_itself_is_none_of_a_field() -> None:
    said = set(in_json(broken("x"))) | set(in_json(record("x", logger="discord")))
    assert said - {"request_id"} == set(OWN)


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, which is put back."""
    logger = logging.getLogger()
    before, level = logger.handlers[:], logger.level
    yield logger
    logging.captureWarnings(False)
    logger.handlers[:] = before
    logger.setLevel(level)


def test_what_is_news_goes_to_standard_error(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    root.handlers.clear()  # pytest's own
    begin(LogForm.JSON, ["s3cret-value"])
    logging.getLogger("clawbot.ask").info("fleet.x why=%s", "s3cret-value")
    logging.getLogger("clawbot.ask").debug("fleet.y")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["why"] == "***"


def test_what_python_warns_of_is_a_line_too(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    root.handlers.clear()  # pytest's own
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        begin(LogForm.JSON, ["s3cret-value"])
        warnings.warn("s3cret-value\nis old", RuntimeWarning, stacklevel=1)
        logging.captureWarnings(False)
    (line,) = capsys.readouterr().err.splitlines()
    assert "***\nis old" in json.loads(line)["message"]
