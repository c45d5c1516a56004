"""Who did what: the ledger's runs beside what the Control API answered, one entry an ask.

Pure: nothing here asks anybody.
"""

import json
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from clawbot.provision.control_log import ACTS, ControlLine
from fleet_control import history
from fleet_control.duration import short
from fleet_control.history import HistoryPage
from fleet_control.json_output import moment
from fleet_control.ledger import Entry, Run, asked_by, person, seconds
from fleet_control.line import printable

# What is told where nothing else is said.
A_DAY = "1d"
_UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_SPAN = re.compile(r"([1-9][0-9]{0,3})([mhdw])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# It stands in no part of a line.
_BETWEEN = " · "
NOBODY = "nobody who is known"
# Codes of those whom the Control API does not believe, whatever they asked for.
_UNBELIEVED = ("unauthorized", "unknown_caller", "forged_caller", "unproven_caller")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that somebody asked for.

    Attributes:
        at: Unix seconds.
        who, what, result: as people say them.
        account: whose it is, where it is a person's: ``<platform>:<user id>``. A name may be
            anybody's.
        code: of a refusal.
        run, url: what it became, if it became one.
    """

    at: float
    who: str
    what: str
    result: str
    request_id: str = ""
    code: str = ""
    run: int = 0
    url: str = ""
    account: str = ""

    @property
    def text(self) -> str:
        """One line, whatever is in its parts."""
        followed = self.request_id or (f"run {self.run}" if self.run else "no request id")
        parts = (moment(self.at), self._asker, self.what, self.result, followed)
        return printable(_BETWEEN.join(part.replace(_BETWEEN.strip(), "?") for part in parts))

    @property
    def _asker(self) -> str:
        """The user's id with their name, which doesn't tell of whom it is."""
        if not self.account or self.who == person(self.account):
            return self.who
        return f"{self.who} ({self.account.partition(':')[2]})"

    @property
    def json(self) -> str:
        """The same for a program."""
        fields = {name: one for name, one in asdict(self).items() if one and name != "at"}
        return json.dumps({"time": moment(self.at), **fields})


def since(text: str, now: float) -> float:
    """Unix seconds of when `2h`, `3d` or a date begins, 0 for what is before any; ValueError says
    what would be right."""
    begin = None
    if found := _SPAN.fullmatch(text):
        begin = now - int(found[1]) * _UNITS[found[2]]
    with suppress(ValueError):
        if _DATE.fullmatch(text):
            begin = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    if begin is None:
        raise ValueError("that is no time: say `30m`, `2h`, `3d`, `1w`, or a date as in 2026-11-27")
    if begin > now:
        raise ValueError("that is to come: in UTC this day has not begun")
    return max(begin, 0.0)


def trail(runs: Sequence[Run], lines: Iterable[ControlLine], since: float) -> list[AuditEntry]:
    """Everything that was asked for since then, oldest first. What became a run is told by that
    alone: its request id is in both."""
    asked = {run.request_id for run in runs if run.request_id}
    entries = [_of_run(run, row) for run, row in zip(runs, _rows(runs), strict=True)]
    entries += [_of_line(one) for one in lines if _is_news(one) and not _became(one, asked)]
    return sorted((one for one in entries if one.at >= since), key=lambda one: one.at)


def _rows(runs: Sequence[Run]) -> Sequence[history.HistoryRow]:
    """Of a list of runs the jobs are not known: what each changed, `/fleet run` tells."""
    return history.rows(HistoryPage(tuple(runs), unseen=tuple(run.id for run in runs)))


def _became(line: ControlLine, asked: set[str]) -> bool:
    """A deploy whose answer was lost may have come to a run all the same."""
    is_run = line.action == "deploy" and (line.status == 200 or line.status >= 500)
    return is_run and line.request_id in asked


def _is_news(line: ControlLine) -> bool:
    """What could not be read is none, unless it was somebody's who is not believed."""
    return line.action in ACTS or line.code in _UNBELIEVED


def _of_run(run: Run, row: history.HistoryRow) -> AuditEntry:
    return AuditEntry(
        at=seconds(run.created),
        who=asked_by(run),
        what=row.what,
        result=row.ended,
        request_id=run.request_id,
        run=run.id,
        url=run.url,
        account=_account(run),
    )


def _of_line(line: ControlLine) -> AuditEntry:
    who, account = _who(line)
    return AuditEntry(
        at=line.at,
        who=who,
        what=_what(line),
        result=_result(line),
        request_id=line.request_id,
        code=line.code,
        account=account,
    )


def _account(asked: Run | Entry) -> str:
    return "" if asked.caller else asked.requested_by.partition(" ")[0]


def _who(line: ControlLine) -> tuple[str, str]:
    """Whose key signed, where that speaks for nobody else; or else the person or the instance that
    it names, if it is believed. And a person's account."""
    role, _, name = line.text("signer").partition(":")
    if role == "agent":
        return asked_by(Entry(request_id="agent", caller=name)), ""
    if role == "operator":
        return person(f"operator:{name}"), f"operator:{name}"
    names = ("request_id", "caller", "requested_by")
    entry = Entry(**{name: line.text(name) for name in names})
    if (entry.caller or entry.requested_by) and line.code not in _UNBELIEVED:
        return asked_by(entry), _account(entry)
    return f"the bot {name}" if role == "chat" else NOBODY, ""


def _what(line: ControlLine) -> str:
    match line.action:
        case "deploy":
            asked = f"{line.text('operation') or 'deploy'} {line.text('target')}"
            return f"{asked}, overriding the freeze" if line.text("override") else asked
        case "cancel":
            return f"cancel run {line.text('run_id')}"
        case "stop":
            return "stop the roll"
        case "freeze":
            reason = line.text("reason")
            told = f"freeze for {short(float(line.text('seconds') or 0))}"
            return f"{told}: {reason}" if reason else told
    return line.action or "something"


def _result(line: ControlLine) -> str:
    if line.status == 200:
        return "taken, and no run is listed" if line.action == "deploy" else "done"
    return f"{'failed' if line.status >= 500 else 'refused'} ({line.code})"
