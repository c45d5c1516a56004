"""The log's lines: an event by its dotted name, and its fields, each value apart from its name.

A call says `log.info("fleet.refused code=%s by=%s", code, who)`: names from the template, values
from the arguments, so that no value is ever taken for a name. What a library says is a message.
"""

import json
import logging
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from clawbot.settings import LogForm
from fleet_control.line import printable

# Of every log call of ours: the event, then each field by its name.
TEMPLATE = re.compile(r"(?P<event>[a-z_]+(?:\.[a-z_]+)+)(?P<fields>(?: [a-z_]+=%s)*)")
_FIELD = re.compile(r" ([a-z_]+)=%s")
# What a line needs no quotes around.
_BARE = re.compile(r"[^\s\"'=]+")
# Whose calls have that form: `tests/static/test_log_calls.py` holds them to it.
OURS = ("clawbot", "fleet_control", "sandbox")
# Of our own in each line of JSON; a field by such a name would take its place.
OWN = ("time", "level", "event", "logger", "message", "exception")
# Before each further line of a trace: no line of its begins as one of the log's does.
_BELOW = "  | "
MASK = "***"
# A shorter one would be found in innocent words.
_SHORTEST = 8


class LogLine(NamedTuple):
    """What one record says: an event with its fields, or a library's message."""

    event: str
    fields: Mapping[str, object]
    message: str


def read(record: logging.LogRecord) -> LogLine:
    """A record of ours by the template of its call; any other's is a message."""
    # A mapping that is the only argument stands there by itself.
    args = record.args if isinstance(record.args, tuple) else (record.args,)
    is_ours = record.name.partition(".")[0] in OURS and isinstance(record.msg, str)
    found = TEMPLATE.fullmatch(record.msg) if is_ours else None
    names = _FIELD.findall(found["fields"]) if found else []
    if found is None or len(names) != len(args):
        return LogLine("", {}, _message(record))
    return LogLine(found["event"], dict(zip(names, args, strict=True)), "")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001  (a library's slip costs no line)
        return str(record.msg)


class _Formatter(logging.Formatter):
    """`secrets` are in no line, whoever says it."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = tuple(one for one in secrets if len(one) >= _SHORTEST)

    def _plain(self, text: str) -> str:
        for one in self._secrets:
            text = text.replace(one, MASK)
        return text

    def _trace(self, record: logging.LogRecord) -> str:
        """The exception and the stack, if there are any."""
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        return self._plain("\n".join(filter(None, (trace, record.stack_info))))


class JsonLines(_Formatter):
    """An object a line, for programs: a field of the event is a key of it."""

    def format(self, record: logging.LogRecord) -> str:
        said, trace = read(record), self._trace(record)
        line: dict[str, Any] = {"time": _time(record.created), "level": record.levelname.lower()}
        if said.event:
            line["event"] = said.event
        line["logger"] = record.name
        line |= {name: self._value(value) for name, value in said.fields.items()}
        if said.message:
            line["message"] = self._plain(said.message)
        if trace:
            line["exception"] = trace
        return json.dumps(line)

    def _value(self, value: object) -> object:
        """Numbers and truths as JSON has them, which knows none without an end; whatever else in
        words."""
        if value is None or (isinstance(value, int | float) and math.isfinite(value)):
            return value
        return self._plain(str(value))


class TextLines(_Formatter):
    """A line for people. What breaks a line, turns it round or is not seen shows as `?`."""

    def format(self, record: logging.LogRecord) -> str:
        said = read(record)
        fields = [f"{name}={self._quoted(value)}" for name, value in said.fields.items()]
        words = said.event or _one_line(self._plain(said.message))
        line = " ".join((record.levelname, record.name, words, *fields))
        trace = self._trace(record).splitlines()
        return "\n".join((line, *(f"{_BELOW}{printable(one)}" for one in trace)))

    def _quoted(self, value: object) -> str:
        text = self._plain(str(value))
        if _BARE.fullmatch(text) and printable(text) == text:
            return text
        return json.dumps(_one_line(text), ensure_ascii=False)


def _one_line(text: str) -> str:
    return printable(text.replace("\r", "").replace("\n", " ⏎ "))


def _time(moment: float) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def formatter(form: LogForm, secrets: Iterable[str] = ()) -> logging.Formatter:
    """How a handler of the log writes its lines."""
    return JsonLines(secrets) if form is LogForm.JSON else TextLines(secrets)


def begin(form: LogForm, secrets: Iterable[str] = ()) -> None:
    """Write everything that is news to standard error, in this form; Python's warnings, too."""
    logging.captureWarnings(True)
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(form, secrets))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
