"""Replies as Telegram's HTML, within its 4,096 characters whatever the fleet's size."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape, unescape

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
from fleet_control import history, phrases
from fleet_control.duration import older
from fleet_control.history import HistoryRow
from fleet_control.last_words import quoted
from fleet_control.line import printable
from fleet_control.preflight import Check
from fleet_control.status import FleetStatus, InstanceStatus

# All of these in UTF-16 code units after the markup was read, as Telegram counts.
LONGEST = 4096
LONGEST_LINE = 400
LONGEST_NOTICE_LINE = 1000  # twenty of the longest ids, and how many more there are
LONGEST_ID = 64
# Ten of them, with a head and a foot of the longest lines, fit into a message.
LONGEST_ROW = 325
ROWS_A_PAGE = 10
# What one thing of a preflight has at least, of which thirty fit, and at most.
CHECK_ROW = range(130, 700)
# Three of them for each host of a question, or one of many more; with what is asked before.
LONGEST_MOVE, LONGEST_WHY = 150, 600
_INDENT = "    "
_TAG = re.compile("<[^>]*>")
# Telegram itself makes a mention of it, where it is no code.
_MENTION = re.compile(r"(?<!\w)@(?=\w)")
BAR = 16
_TONES = {Tone.PLAIN: "", Tone.REFUSED: "✋ ", Tone.BROKEN: "⚠️ "}


def render(reply: Reply, now: float) -> str:  # noqa: PLR0911  (one a kind of reply)
    """A reply as HTML; `now` in Unix seconds, for ages."""
    match reply:
        case Notice():
            lines: Iterator[str] = (said(line, LONGEST_NOTICE_LINE) for line in reply.lines)
            return _fit(lines, _TONES[reply.tone])
        case StatusReport():
            return _fit(_status(reply, status_page(reply), now))
        case HistoryReport():
            return _fit(_history(reply, now))
        case Question():
            return _fit(_question(reply, now))
        case Deploying():
            return _fit(_deploying(reply))
        case PreflightReport():
            return _fit(_preflight(reply))
        case GoesOn():
            return _bold(f"{reply.what}: told elsewhere")
        case WatchReport():
            return _fit(_watch(reply))


def _watch(report: WatchReport) -> Iterator[str]:
    for light, found in (("🔴", report.wrong), ("🟡", report.flapping), ("🟢", report.well)):
        for one in found:
            yield f"{light} {_bold(one.of or 'The fleet')} {said(one.words)}"
            yield f"{_INDENT}{said(one.repair)}"


def status_page(report: StatusReport) -> Page[InstanceStatus]:
    return page(report.status.rows, report.page, ROWS_A_PAGE)


def spelled(words: tuple[str, ...]) -> str:
    """An ask as one would type it."""
    return " ".join(("/fleet", *words))


def said(line: str, longest: int = LONGEST_LINE) -> str:
    """A line of ours: what stands in backquotes is code, nothing else is any markup."""
    return backquotes.drawn(line, longest, _piece, _seen)


def _piece(text: str, is_code: bool) -> str:
    return code(text, LONGEST) if is_code else plain(text, LONGEST)


def plain(text: str, longest: int = LONGEST_LINE) -> str:
    """What somebody wrote: in it Telegram finds no markup, and nobody to tell of it."""
    return escape(_MENTION.sub("\uff20", _cut(printable(text), longest)), quote=False)


def code(text: str, longest: int = LONGEST_LINE) -> str:
    return f"<code>{escape(_cut(printable(text), longest), quote=False)}</code>"


def _bold_piece(text: str, is_code: bool) -> str:
    return code(text, LONGEST) if is_code else _bold(text, LONGEST)


def _bold(text: str, longest: int = LONGEST_LINE) -> str:
    return f"<b>{plain(text, longest)}</b>"


def units(text: str) -> int:
    """Length as Telegram counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def _cut(text: str, longest: int) -> str:
    return text if units(text) <= longest else f"{_first(text, longest - 1)}…"


def _first(text: str, count: int) -> str:
    """The first so many units; a character of two is not cut in two."""
    return text.encode("utf-16-le")[: 2 * count].decode("utf-16-le", "ignore")


def _seen(html: str) -> int:
    """How long our markup is once it was read."""
    return units(as_read(html))


def as_read(html: str) -> str:
    """The text that Telegram makes of our markup."""
    return unescape(_TAG.sub("", html))


def _fit(lines: Iterator[str], begin: str = "") -> str:
    """As many whole lines as there is room for, so that no tag is cut open."""
    text, room = begin, LONGEST - 2 - _seen(begin)
    for line in lines:
        room -= _seen(line) + 1
        if room < 0:
            return f"{text}…"
        text += f"{line}\n"
    return text.rstrip("\n")


def _status(report: StatusReport, shown: Page[InstanceStatus], now: float) -> Iterator[str]:
    status = report.status
    yield _bold(wording.counted(status))
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
    told = f"{indicator.light(row)} {_bold(row.id, LONGEST_ID)} {wording.state(row)}"
    if row.host is not None:
        up = older(now - row.host.launched)
        revision = plain(phrases.revision(row, status))
        told = f"{told} · image {wording.image(row, status)} · revision {revision} · up {up}"
    yield told
    room = LONGEST_ROW - _seen(told) - 1
    answer = phrases.own_answer(row, now)
    beside = [*(fault.words for fault in row.faults), *([answer] if answer else [])]
    for left, one in zip(range(len(beside), 0, -1), beside, strict=True):
        line = f"{_INDENT}{said(one, room // left - len(_INDENT) - 1)}"
        yield line
        room -= _seen(line) + 1


def _history(report: HistoryReport, now: float) -> Iterator[str]:
    yield _bold(history.title(report.target))
    for row in report.shown.items:
        yield from _run(row, now)
    if not report.shown.items:
        yield plain(history.nothing(report.target))
    if paged := wording.paged(report.shown, "newest first"):
        yield f"{paged[0].upper()}{paged[1:]}"
    if report.beside:
        yield f"🟡 {plain(report.beside)}"


def _run(row: HistoryRow, now: float) -> Iterator[str]:
    """One deploy of the history, in three lines of 440 at the most: eight fit into a message."""
    did, ended = _bold(wording.done(row), 90), plain(row.ended, 120)
    yield f"{indicator.RUNS[row.outcome]} {did} {ended} · {older(now - row.asked)} ago"
    if row.moved:
        # As code: what follows an @ would be somebody's name.
        yield f"{_INDENT}{code(row.moved, 110)}"
    run, url = f"run {row.run_id}", wording.link(row.url)
    linked = f'<a href="{escape(url)}">{run}</a>' if url else run
    yield f"{_INDENT}{plain(row.by, 60)} · {linked}"


def _question(asked: Question, now: float) -> Iterator[str]:
    yield f"🟡 {code(spelled(question_words(asked)))}"
    if asked.why:
        yield backquotes.drawn(asked.why, LONGEST_WHY, _bold_piece, _seen)
    shown, more = wording.hosts(asked)
    for id_, lines in shown:
        yield _bold(id_, LONGEST_ID)
        for line in lines:
            yield f"{_INDENT}{plain(line, LONGEST_MOVE)}"
    if more:
        yield more
    for word, ids in wording.moves(asked):
        yield plain(f"{word}: {wording.listed(ids)}")
    left = max(0, round((asked.expires - now) / 60))
    yield f"Only the one who asked can confirm, within {left} min."


def question_words(asked: Question) -> tuple[str, ...]:
    """The words that ask for it."""
    return tuple(asked.words.split())


def _deploying(reply: Deploying) -> Iterator[str]:
    seen = reply.progress
    named = f" with {code(seen.image_or_commit)}" if seen.image_or_commit else ""
    title = _bold(wording.what(seen.operation, seen.target))
    deploy = f"{indicator.RUNS[seen.stage]} {title}{named}{wording.overriding(seen.override)}"
    yield f"{deploy}: {plain(wording.stage(seen))}"
    if by := wording.asked_by(reply):
        yield plain(f"{by}, {datetime.fromtimestamp(reply.asked_at, UTC):%Y-%m-%d %H:%M} UTC")
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


def _host(host: HostProgress) -> str:
    moved = f"{code(host.old or 'no host')} → {code(wording.becomes(host))}"
    return (
        f"{indicator.HOSTS[host.stage]} {_bold(host.id)} {moved} {said(wording.host_stage(host))}"
    )


def _preflight(report: PreflightReport) -> Iterator[str]:
    head = _bold(wording.preflight(report))
    yield head
    checks = phrases.worst_first(report.checks)
    yield from fitted(checks, LONGEST - _seen(head) - 4, CHECK_ROW, _check, _seen)


def _check(one: Check, longest: int) -> str:
    """What was found, and below it what to do; half is kept for each from what is before it."""
    head = f"{phrases.MARKS[one.outcome]} {_bold(one.name, longest // 2)} "
    room = longest - _seen(head)
    advice = said(one.advice, room // 2)
    told = said(one.told, room - _seen(advice) - len(_INDENT) - 1)
    return f"\n{_INDENT}".join(filter(None, (head + told, advice)))


def over(reply: Deploying, user_id: int) -> str:
    """The line that calls the asker when their deploy is over; an edit calls nobody."""
    seen = reply.progress
    who = f'<a href="tg://user?id={user_id}">Your</a>'
    what, subject = wording.own(seen.operation, seen.target)
    told = f"{who} {what} {_bold(subject)}: {plain(wording.stage(seen))}."
    return f"{indicator.RUNS[seen.stage]} {told}"
