"""Replies as embeds, within Discord's limits whatever the fleet's size."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import discord

from clawbot import backquotes, indicator, wording
from clawbot.discord import limits
from clawbot.page import Page, cut, fitted, page
from clawbot.progress import HostProgress, Progress, Stage
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
from fleet_control.fault import GRAVE
from fleet_control.finding import Finding
from fleet_control.history import HistoryRow, RunResult
from fleet_control.last_words import quoted
from fleet_control.line import printable
from fleet_control.preflight import Check, Outcome
from fleet_control.status import FleetStatus, InstanceStatus

ROWS_A_PAGE = 12
LONGEST_ROW = 320
LONGEST_ANSWER = 130
# What one thing of a preflight has at least, of which thirty fit, and at most.
CHECK_ROW = range(130, 700)
LONGEST_ID = 64
# Eight of them fit into a description.
LONGEST_RUN = 510
# Three of them for each host of a question, or one of many more.
LONGEST_MOVE = 150
BAR = 20

# What makes a word anything but itself: markup, a mention, a moment, a link.
_MARKUP = re.compile(r"[\\*_`~|<\[]|:(?=//)|@(?=everyone|here)|^[#>-]")

GREEN, YELLOW, RED, BLUE, GREY = 0x3BA55D, 0xF0B232, 0xDA373C, 0x5865F2, 0x80848E
_TONES = {Tone.PLAIN: GREY, Tone.REFUSED: YELLOW, Tone.BROKEN: RED}
_STAGES = {
    Stage.ASKING: BLUE,
    Stage.QUEUED: BLUE,
    Stage.RUNNING: BLUE,
    Stage.DONE: GREEN,
    Stage.FAILED: RED,
    Stage.CANCELLED: GREY,
    Stage.STOPPED: GREY,
    Stage.UNKNOWN: YELLOW,
}


def embed(reply: Reply, now: float) -> discord.Embed:
    """A reply as the one embed that shows it; `now` in Unix seconds, for ages."""
    made = _drawn(reply, now)
    text, over = made.description or "", len(made) - limits.EMBED_TOGETHER
    if over > 0:
        made.description = cut(text, len(text) - over)
    return made


def _drawn(reply: Reply, now: float) -> discord.Embed:  # noqa: PLR0911  (one a kind of reply)
    match reply:
        case Notice():
            text = "\n".join(said(line) for line in reply.lines)
            return _embed("", text, _TONES[reply.tone])
        case StatusReport():
            return _status(reply, status_page(reply), now)
        case HistoryReport():
            return _history(reply)
        case Question():
            return _question(reply)
        case Deploying():
            return _deploying(reply, now)
        case PreflightReport():
            return _preflight(reply)
        case GoesOn():
            return _embed(f"{plain(reply.what)}: told elsewhere", "", GREY)
        case WatchReport():
            return _watch(reply)


def _watch(report: WatchReport) -> discord.Embed:
    rows = [_finding("🔴", one) for one in report.wrong]
    rows += [_finding("🟡", one) for one in report.flapping]
    rows += [_finding("🟢", one) for one in report.well]
    return _embed("The fleet", "\n".join(rows), RED if report.wrong else GREY)


def _finding(light: str, one: Finding) -> str:
    return f"{light} **{plain(one.of or 'The fleet')}** {said(one.words)}\n-# {said(one.repair)}"


def status_page(report: StatusReport) -> Page[InstanceStatus]:
    return page(report.status.rows, report.page, ROWS_A_PAGE)


def said(line: str, longest: int = limits.EMBED_DESCRIPTION) -> str:
    """A line of ours: what stands in backquotes is code, nothing else is any markup."""
    return backquotes.drawn(line, longest, _piece)


def plain(text: str, longest: int = LONGEST_ID) -> str:
    """A name or so, in which nothing is any markup, whoever chose it."""
    return _escaped(cut(printable(text.strip()).strip(), longest))


def _piece(text: str, is_code: bool) -> str:
    return f"`{text}`" if is_code else _escaped(text)


def _escaped(text: str) -> str:
    """Each one by itself: it may have its other half in somebody else's line."""
    return _MARKUP.sub(r"\\\g<0>", text)


def _embed(title: str, text: str, colour: int) -> discord.Embed:
    return discord.Embed(
        title=cut(title, limits.EMBED_TITLE) or None,
        description=cut(text, limits.EMBED_DESCRIPTION),
        colour=colour,
    )


def _moment(seconds: float, style: str = "R") -> str:
    return f"<t:{int(seconds)}:{style}>"


def _status(report: StatusReport, shown: Page[InstanceStatus], now: float) -> discord.Embed:
    status = report.status
    rows = [f"🟡 {said(report.held, LONGEST_ROW)}"] if report.held else []
    rows += [f"🟡 {said(phrases.of_the_fleet(one), LONGEST_ROW)}" for one in status.faults]
    rows += [_row(row, status, now) for row in shown.items] or ["There is no instance."]
    registry = phrases.registry_age(status.known, now)
    if registry:
        rows.append(f"🟡 {said(registry, LONGEST_ROW)}")
    made = _embed(wording.counted(status), "\n".join(rows), _worst(status))
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
        told += [f"started {_moment(row.host.launched)}"]
    line = " · ".join(told)
    answer = said(phrases.own_answer(row, now), LONGEST_ANSWER)
    room = LONGEST_ROW - len(line) - len(answer)
    wrong = said("; ".join(fault.words for fault in row.faults), room)
    return "\n-# ".join(filter(None, (line, wrong, answer)))


def _image(row: InstanceStatus, status: FleetStatus, now: float) -> str:
    if row.image is None:
        return "image not ours" if status.images else "image unknown"
    which = "newest image," if row.is_newest else "image"
    return f"{which} {older(now - row.image.created)} old"


def _history(report: HistoryReport) -> discord.Embed:
    rows = report.shown.items
    living = any(row.outcome in (RunResult.QUEUED, RunResult.RUNNING) for row in rows)
    text = "\n".join(map(_run, rows)) or _words(history.nothing(report.target), LONGEST_ROW)
    made = _embed(history.title(plain(report.target)), text, BLUE if living else GREY)
    footer = (wording.paged(report.shown, "newest first"), report.beside)
    # Where Discord reads no markup.
    made.set_footer(text=cut(printable("; ".join(filter(None, footer)).strip()).strip(), 1024))
    return made


def _run(row: HistoryRow) -> str:
    """One deploy of the history in two lines; its link goes where there is no room for it."""
    did, ended = _words(wording.done(row), 90), _words(row.ended, 120)
    line = f"{indicator.RUNS[row.outcome]} **{did}** · {ended} · {_moment(row.asked)}\n-# "
    told, run = (_words(row.moved, 105), _words(row.by, 60)), f"run {row.run_id}"
    url = wording.link(row.url)
    linked = line + " · ".join(filter(None, (*told, f"[{run}]({url})")))
    if url and ")" not in url and len(linked) <= LONGEST_RUN:
        return linked
    return line + " · ".join(filter(None, (*told, run)))


def _words(text: str, longest: int) -> str:
    """What others wrote, in which nothing is code, and no more of it."""
    return said(text.replace("`", "'"), longest)


def _question(asked: Question) -> discord.Embed:
    told = [said(asked.why)] * bool(asked.why)
    shown, more = wording.hosts(asked)
    told += [line for id_, lines in shown for line in _moved(id_, lines)]
    told += [more] * bool(more)
    if not (asked.image_or_commit or asked.operation):
        told.append("With the newest image.")
    asker = asked.asker.partition(":")[2]
    who = f"<@{asker}>" if asker.isdecimal() else "the one who asked"
    told.append(f"Only {who} can answer; this ends {_moment(asked.expires)}.")
    title = f"{_what(asked)}?"
    made = _embed(title, "\n".join(told), YELLOW)
    for word, ids in wording.moves(asked):
        listed = cut(plain(wording.listed(ids), limits.FIELD_VALUE), limits.FIELD_VALUE)
        made.add_field(name=f"{word}: {len(ids)}", value=listed, inline=False)
    return made


def _moved(id_: str, lines: tuple[str, ...]) -> Iterator[str]:
    yield f"**{plain(id_)}**"
    for line in lines:
        yield f"-# {_words(line, LONGEST_MOVE)}"


def _what(asked: Question | Progress) -> str:
    return wording.what(asked.operation, plain(asked.target))


def _deploying(reply: Deploying, now: float) -> discord.Embed:
    """Its timestamp is when the deploy ended: by that a successor knows that this end was told."""
    seen = reply.progress
    named = f" with {plain(seen.image_or_commit, 100)}" if seen.image_or_commit else ""
    title = f"{_what(seen)}{named}{wording.overriding(seen.override)}"
    made = _embed(title, "\n".join(_told(reply)), _STAGES[seen.stage])
    if len(seen.url) <= limits.LINK:
        made.url = wording.link(seen.url) or None
    for name, value in _fields(seen):
        # Discord trims what it is sent; a successor would see a difference, and tell it again.
        if told := cut(value.strip(), limits.FIELD_VALUE):
            made.add_field(name=name, value=told, inline=False)
    if seen.over:
        ended = seen.began + seen.took if seen.took else now
        made.timestamp = datetime.fromtimestamp(ended, UTC)
    return made


def _fields(seen: Progress) -> Iterator[tuple[str, str]]:
    yield "At", said(seen.step, limits.FIELD_VALUE)
    yield "Why", said(seen.reason, limits.FIELD_VALUE)
    if words := seen.last_words:
        block = "\n".join(map(printable, quoted(words)))
        yield f"Last words of {plain(words.instance)}", f"```\n{block}\n```"
    yield "Next", said(seen.advice, limits.FIELD_VALUE)


def _told(reply: Deploying) -> Iterator[str]:
    seen = reply.progress
    yield f"**{said(wording.stage(seen), LONGEST_ROW)}**"
    if by := wording.asked_by(reply):
        yield f"{_words(by, LONGEST_ROW)} {_moment(reply.asked_at)}"
    if seen.made_of:
        yield said(wording.made_of(seen), LONGEST_ROW)
    yield from indicator.hosts_in(seen, BAR, _host)
    if reply.trouble:
        yield f"🟡 {said(reply.trouble, LONGEST_ROW)} I keep trying."
    if reply.note:
        yield f"🟡 {said(reply.note, LONGEST_ROW)}"


def _host(host: HostProgress) -> str:
    told = said(wording.host_stage(host), LONGEST_ROW)
    line = f"{indicator.HOSTS[host.stage]} **{plain(host.id)}** · {told}"
    return f"{line}\n-# {plain(host.old or 'no host')} → {plain(wording.becomes(host))}"


def _preflight(report: PreflightReport) -> discord.Embed:
    checks = phrases.worst_first(report.checks)
    wrong = any(one.outcome is Outcome.WRONG for one in checks)
    colour = RED if wrong else GREEN if checks else BLUE
    rows = fitted(checks, limits.EMBED_DESCRIPTION, CHECK_ROW, _check)
    return _embed(wording.preflight(report), "\n".join(rows), colour)


def _check(one: Check, longest: int) -> str:
    """What was found, and below it what to do; half is kept for each from what is before it."""
    head = f"{phrases.MARKS[one.outcome]} **{plain(one.name, longest // 2)}** · "
    room = longest - len(head)
    advice = said(one.advice, room // 2)
    told = said(one.told, room - len(advice) - len("\n-# "))
    return "\n-# ".join(filter(None, (head + told, advice)))
