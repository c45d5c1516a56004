"""What is read, as embeds: the status, the history, a preflight, what is wrong with the fleet."""

from datetime import UTC, datetime

import discord

from clawbot import indicator, wording
from clawbot.discord import limits
from clawbot.discord.markup import (
    BLUE,
    GREEN,
    GREY,
    LONGEST_ROW,
    RED,
    YELLOW,
    moment,
    plain,
    said,
    titled,
    words,
)
from clawbot.fleet_channel import watch_words
from clawbot.fleet_channel.watch_words import WatchLine
from clawbot.page import Page, cut, fitted, page
from clawbot.replies import HistoryReport, PreflightReport, StatusReport, WatchReport
from fleet_control import history, phrases
from fleet_control.duration import older
from fleet_control.fault import GRAVE
from fleet_control.history import HistoryRow, RunResult
from fleet_control.line import printable
from fleet_control.preflight import Check, Outcome
from fleet_control.status import FleetStatus, InstanceStatus

ROWS_A_PAGE = 12
COLOURS = {"🔴": RED, "🟡": YELLOW, "🟢": GREEN}
LONGEST_ANSWER = 130
# What one thing of a preflight or a watch has at least, of which all fit, and at most.
ROW = range(130, 700)
# Eight of them fit into a description.
LONGEST_RUN = 510


def status_page(report: StatusReport) -> Page[InstanceStatus]:
    return page(report.status.rows, report.page, ROWS_A_PAGE)


def fleet_status(report: StatusReport, now: float) -> discord.Embed:
    status, shown = report.status, status_page(report)
    rows = [f"🟡 {said(report.held, LONGEST_ROW)}"] if report.held else []
    rows += [f"🟡 {said(phrases.of_the_fleet(one), LONGEST_ROW)}" for one in status.faults]
    rows += [_row(row, status, now) for row in shown.items] or ["There is no instance."]
    registry = phrases.registry_age(status.known, now)
    if registry:
        rows.append(f"🟡 {said(registry, LONGEST_ROW)}")
    made = titled(wording.counted(status), "\n".join(rows), _worst(status))
    newest = f"newest image {status.newest.id}" if status.newest else "no image of ours"
    branch = status.newest_revision
    revision = f"newest revision {phrases.told(branch, now)}" if branch else ""
    footer = "; ".join(part for part in (wording.paged(shown), newest, revision) if part)
    # Where Discord reads no markup.
    made.set_footer(text=cut(printable(footer.strip()).strip(), LONGEST_ROW))
    made.timestamp = datetime.fromtimestamp(status.taken, UTC)
    return made


def _worst(status: FleetStatus) -> int:
    if any(row.worst in GRAVE for row in status.rows):
        return RED
    if status.faults or any(row.faults for row in status.rows):
        return YELLOW
    return BLUE if any(row.replacing for row in status.rows) else GREEN


def _row(row: InstanceStatus, status: FleetStatus, now: float) -> str:
    told = [f"{indicator.light(row)} **{plain(row.id)}**", wording.state(row)]
    if row.host is not None:
        told += [_image(row, status, now), f"revision {plain(phrases.revision(row, status))}"]
        told += [f"started {moment(row.host.launched)}"]
    line = " · ".join(told)
    answer = said(phrases.own_answer(row, now), LONGEST_ANSWER)
    room = LONGEST_ROW - len(line) - len(answer)
    wrong = said("; ".join(fault.in_short for fault in row.faults), room)
    return "\n-# ".join(filter(None, (line, wrong, answer)))


def _image(row: InstanceStatus, status: FleetStatus, now: float) -> str:
    if row.image is None:
        return "image not ours" if status.images else "image unknown"
    which = "newest image," if row.is_newest else "image"
    return f"{which} {older(now - row.image.created)} old"


def history_page(report: HistoryReport) -> discord.Embed:
    rows = report.shown.items
    living = any(row.outcome in (RunResult.QUEUED, RunResult.RUNNING) for row in rows)
    text = "\n".join(map(_run, rows)) or words(history.nothing(report.target), LONGEST_ROW)
    made = titled(history.title(plain(report.target)), text, BLUE if living else GREY)
    footer = (wording.paged(report.shown, "newest first"), report.beside)
    # Where Discord reads no markup.
    made.set_footer(text=cut(printable("; ".join(filter(None, footer)).strip()).strip(), 1024))
    return made


def _run(row: HistoryRow) -> str:
    """One deploy of the history in two lines; its link goes where there is no room for it."""
    did, ended = words(wording.done(row), 90), words(row.ended, 120)
    line = f"{indicator.RUNS[row.outcome]} **{did}** · {ended} · {moment(row.asked)}\n-# "
    told, run = (words(row.moved, 105), words(row.by, 60)), f"run {row.run_id}"
    url = wording.link(row.url)
    linked = line + " · ".join(filter(None, (*told, f"[{run}]({url})")))
    if url and ")" not in url and len(linked) <= LONGEST_RUN:
        return linked
    return line + " · ".join(filter(None, (*told, run)))


def preflight(report: PreflightReport) -> discord.Embed:
    checks = phrases.worst_first(report.checks)
    wrong = any(one.outcome is Outcome.WRONG for one in checks)
    colour = RED if wrong else GREEN if checks else BLUE
    rows = fitted(checks, limits.EMBED_DESCRIPTION, ROW, _check)
    return titled(wording.preflight(report), "\n".join(rows), colour)


def _check(one: Check, longest: int) -> str:
    return _in_two_lines(phrases.MARKS[one.outcome], one.name, one.told, one.advice, longest)


def _in_two_lines(light: str, name: str, words: str, advice: str, longest: int) -> str:
    """What there is to say of one, and below it what to do; of each something is said, however
    long what is before it."""
    head = f"{light} **{plain(name, longest // 2)}** · "
    room = longest - len(head)
    below = said(advice, room // 2)
    told = said(words, room - len(below) - len("\n-# "))
    return "\n-# ".join(filter(None, (head + told, below)))


def watch(report: WatchReport) -> discord.Embed:
    shown = watch_words.rows(report)[: watch_words.ROWS_AT_ALL]
    more = said(watch_words.more(report), LONGEST_ROW)
    tail = "\n".join(filter(None, (more, f"-# Seen {moment(report.taken)}")))
    room = limits.EMBED_DESCRIPTION - len(tail) - 1
    text = "\n".join((*fitted(shown, room, ROW, _found), tail))
    return titled(
        plain(watch_words.title(report), limits.EMBED_TITLE),
        text,
        COLOURS[watch_words.light(report)],
    )


def _found(row: WatchLine, longest: int) -> str:
    return _in_two_lines(row.light, row.who, row.words, row.repair, longest)
