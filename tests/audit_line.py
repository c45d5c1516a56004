"""The audit trail as every front writes it: one event, and in it the same fields."""

from typing import NamedTuple

import pytest

from clawbot import log_line
from fleet_control.ledger import PLATFORMS, RequestId

_KINDS = ("operator", "person", "instance", "unknown")


class AuditLine(NamedTuple):
    """The fields of `fleet.asked`, in the order in which they stand there."""

    request_id: str
    platform: str
    bot: str
    channel: str
    asked: str
    account: str
    name: str
    caller: str
    known_as: str
    what: str


def audit(caplog: pytest.LogCaptureFixture) -> list[AuditLine]:
    """Every line of the trail, each of which has the one form."""
    read = (log_line.read(record) for record in caplog.records)
    return [_line(one) for one in read if one.event == "fleet.asked"]


def of(caplog: pytest.LogCaptureFixture, request_id: str) -> list[str]:
    """The events that carry this request id."""
    read = map(log_line.read, caplog.records)
    return [one.event for one in read if str(one.fields.get("request_id")) == request_id]


def _line(said: log_line.LogLine) -> AuditLine:
    assert tuple(said.fields) == AuditLine._fields
    line = AuditLine(*map(str, said.fields.values()))
    assert line.request_id == str(RequestId(line.platform, line.bot, line.channel, line.asked))
    assert line.platform in PLATFORMS
    assert line.account.startswith(f"{line.platform}:")
    assert line.caller in _KINDS
    assert bool(line.known_as) == (line.caller in ("instance", "unknown"))
    assert line.bot
    assert line.what
    return line
