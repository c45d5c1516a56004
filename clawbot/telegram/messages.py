"""Replies as Telegram's HTML, within its 4,096 characters whatever the fleet's size."""

from collections.abc import Iterator
from html import escape
from types import MappingProxyType

from clawbot import backquotes, indicator, wording
from clawbot.page import Page, fitted, page
from clawbot.progress import HostProgress
from clawbot.replies import (
    Deploying,
    GoesOn,
    HistoryReport,
    Notice,
    PreflightReport,
    Question,
    Reply,
    StatusReport,
    Tone,
    WatchReport,
)
from clawbot.telegram import fleet_messages
from clawbot.telegram.fleet_messages import Names
from clawbot.telegram.markup import (
    INDENT,
    LONGEST,
    ROW,
    bold,
    bold_piece,
    code,
    fit,
    in_two_lines,
    moment,
    plain,
    said,
    seen_units,
)
from fleet_control import history, phrases
from fleet_control.duration import older
from fleet_control.history import HistoryRow
from fleet_control.last_words import quoted
from fleet_control.line import printable
from fleet_control.preflight import Check
from fleet_control.status import FleetStatus, InstanceStatus

# All of these in UTF-16 code units after the markup was read, as Telegram counts.
LONGEST_NOTICE_LINE = 1000  # twenty of the longest ids, and how many more there are
LONGEST_ID = 64
# Ten of them, with a head and a foot of the longest lines, fit into a message.
LONGEST_ROW = 325
ROWS_A_PAGE = 10
# Three of them for each host of a question, or one of many more; with what is asked before.
LONGEST_MOVE, LONGEST_WHY = 150, 600
BAR = 16
_TONES = {Tone.PLAIN: "", Tone.REFUSED: "✋ ", Tone.BROKEN: "⚠️ "}


def render(reply: Reply, now: float, names: Names = MappingProxyType({})) -> str:  # noqa: PLR0911  (one a kind of reply)
    """A reply as HTML; `now` in Unix seconds, for ages; `names` are of those whom it may call."""
    match reply:
        case Notice():
            lines: Iterator[str] = (said(line, LONGEST_NOTICE_LINE) for line in reply.lines)
            return fit(lines, _TONES[reply.tone])
        case StatusReport():
            return fit(_status(reply, status_page(reply), now))
        case HistoryReport():
            return fit(_history(reply))
        case Question():
            return fit(_question(reply))
        case Deploying():
            return fit(_deploying(reply))
        case PreflightReport():
            return fit(_preflight(reply))
        case GoesOn():
            return fit(fleet_messages.goes_on(reply))
        case WatchReport():
            return fit(fleet_messages.watch(reply, names))


def status_page(report: StatusReport) -> Page[InstanceStatus]:
    return page(report.status.rows, report.page, ROWS_A_PAGE)


def spelled(words: tuple[str, ...]) -> str:
    """An ask as one would type it."""
    return " ".join(("/fleet", *words))


def _status(report: StatusReport, shown: Page[InstanceStatus], now: float) -> Iterator[str]:
    status = report.status
    yield bold(wording.counted(status))
    if report.held:
        yield f"🟡 {said(report.held)}"
    for fault in status.faults:
        yield f"🟡 {said(phrases.of_the_fleet(fault))}"
    for row in shown.items:
        yield from _row(row, status, now)
    newest = code(status.newest.id) if status.newest else "none of ours"
    yield f"Newest image: {newest}"
    if status.newest_revision:
        yield f"Newest revision: {plain(phrases.told(status.newest_revision, now))}"
    if paged := wording.paged(shown):
        yield f"{paged[0].upper()}{paged[1:]}"
    aged = phrases.registry_age(status.known, now)
    if aged:
        yield f"🟡 {said(aged)}"


def _row(row: InstanceStatus, status: FleetStatus, now: float) -> Iterator[str]:
    """An instance, what is wrong with it and what it said, as far as a row's room goes."""
    told = f"{indicator.light(row)} {bold(row.id, LONGEST_ID)} {wording.state(row)}"
    if row.host is not None:
        up = older(now - row.host.launched)
        revision = plain(phrases.revision(row, status))
        told = f"{told} · image {wording.image(row, status)} · revision {revision} · up {up}"
    yield told
    room = LONGEST_ROW - seen_units(told) - 1
    answer = phrases.own_answer(row, now)
    beside = [*(fault.in_short for fault in row.faults), *([answer] if answer else [])]
    for left, one in zip(range(len(beside), 0, -1), beside, strict=True):
        line = f"{INDENT}{said(one, room // left - len(INDENT) - 1)}"
        yield line
        room -= seen_units(line) + 1


def _history(report: HistoryReport) -> Iterator[str]:
    yield bold(history.title(report.target))
    for row in report.shown.items:
        yield from _run(row)
    if not report.shown.items:
        yield plain(history.nothing(report.target))
    if paged := wording.paged(report.shown, "newest first"):
        yield f"{paged[0].upper()}{paged[1:]}"
    if report.beside:
        yield f"🟡 {plain(report.beside)}"


def _run(row: HistoryRow) -> Iterator[str]:
    """One deploy of the history, in three lines of 440 at the most: eight fit into a message."""
    did, ended = bold(wording.done(row), 90), plain(row.ended, 120)
    yield f"{indicator.RUNS[row.outcome]} {did} {ended} · {moment(row.asked)}"
    if row.moved:
        # As code: what follows an @ would be somebody's name.
        yield f"{INDENT}{code(row.moved, 110)}"
    run, url = f"run {row.run_id}", wording.link(row.url)
    linked = f'<a href="{escape(url)}">{run}</a>' if url else run
    yield f"{INDENT}{plain(row.by, 60)} · {linked}"


def _question(asked: Question) -> Iterator[str]:
    yield f"🟡 {code(spelled(question_words(asked)))}"
    if asked.why:
        yield backquotes.drawn(asked.why, LONGEST_WHY, bold_piece, seen_units)
    shown, more = wording.hosts(asked)
    for id_, lines in shown:
        yield bold(id_, LONGEST_ID)
        for line in lines:
            yield f"{INDENT}{plain(line, LONGEST_MOVE)}"
    if more:
        yield more
    for word, ids in wording.moves(asked):
        yield plain(f"{word}: {wording.listed(ids)}")
    yield f"Only the one who asked can confirm; this ends {moment(asked.expires)}."


def question_words(asked: Question) -> tuple[str, ...]:
    """The words that ask for it."""
    return tuple(asked.words.split())


def _deploying(reply: Deploying) -> Iterator[str]:
    seen = reply.progress
    named = f" with {code(seen.image_or_commit)}" if seen.image_or_commit else ""
    title = bold(wording.what(seen.operation, seen.target))
    deploy = f"{indicator.RUNS[seen.stage]} {title}{named}{wording.overriding(seen.override)}"
    yield f"{deploy}: {plain(wording.stage(seen))}"
    yield from _asked(reply)
    if seen.made_of:
        yield plain(wording.made_of(seen))
    yield from indicator.hosts_in(seen, BAR, _host)
    for name, told in (("At", seen.step), ("Why", seen.reason)):
        if told:
            yield f"{name}: {said(told)}"
    if words := seen.last_words:
        block = escape("\n".join(map(printable, quoted(words))), quote=False)
        yield f"Last words of {plain(words.instance)}:\n<pre>{block}</pre>"
    if seen.advice:
        yield f"Next: {said(seen.advice)}"
    if reply.trouble:
        yield f"🟡 {said(reply.trouble)} I keep trying."
    if reply.note:
        yield f"🟡 {said(reply.note)}"
    if url := wording.link(seen.url):
        yield f'<a href="{escape(url)}">the run</a>'


def _asked(reply: Deploying) -> Iterator[str]:
    """Who asked for a deploy, and its moments."""
    if by := wording.asked_by(reply):
        yield plain(by) + (f", {moment(reply.asked_at)}" if reply.asked_at else "")
    if moments := wording.moments(reply.progress, moment):
        yield moments


def _host(host: HostProgress) -> str:
    moved = f"{code(host.old or 'no host')} → {code(wording.becomes(host))}"
    return f"{indicator.HOSTS[host.stage]} {bold(host.id)} {moved} {said(wording.host_stage(host))}"


def _preflight(report: PreflightReport) -> Iterator[str]:
    head = bold(wording.preflight(report))
    yield head
    checks = phrases.worst_first(report.checks)
    yield from fitted(checks, LONGEST - seen_units(head) - 4, ROW, _check, seen_units)


def _check(one: Check, longest: int) -> str:
    return in_two_lines(phrases.MARKS[one.outcome], one.name, one.told, one.advice, longest)
