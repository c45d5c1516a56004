"""Replies as Telegram's HTML, within its 4,096 characters whatever the fleet's size."""

from collections.abc import Iterator
from html import escape

from clawbot import indicator, wording
from clawbot.page import Page, cut, page
from clawbot.progress import HostProgress, Stage
from clawbot.replies import Deploying, Notice, Question, Reply, StatusReport, Tone
from fleet_control.duration import older
from fleet_control.status import FleetStatus, InstanceStatus

# Markup does not count towards Telegram's limit, but counting it too is simpler, and safe.
LONGEST = 4096
LONGEST_LINE = 400
ROWS_A_PAGE = 10
HOSTS_BY_NAME = 12
BAR = 16
_TONES = {Tone.PLAIN: "", Tone.REFUSED: "✋ ", Tone.BROKEN: "⚠️ "}
_STAGES = {
    Stage.ASKING: "🔵",
    Stage.QUEUED: "🔵",
    Stage.RUNNING: "🔵",
    Stage.DONE: "🟢",
    Stage.FAILED: "🔴",
    Stage.CANCELLED: "⚪",
    Stage.UNKNOWN: "🟡",
}


def render(reply: Reply, now: float) -> str:
    """A reply as HTML; `now` in Unix seconds, for ages."""
    match reply:
        case Notice():
            lines: Iterator[str] = iter([said(line) for line in reply.lines])
            return _fit(lines, _TONES[reply.tone])
        case StatusReport():
            return _fit(_status(reply.status, status_page(reply), now))
        case Question():
            return _fit(_question(reply, now))
        case Deploying():
            return _fit(_deploying(reply))


def status_page(report: StatusReport) -> Page[InstanceStatus]:
    return page(report.status.rows, report.page, ROWS_A_PAGE)


def spelled(words: tuple[str, ...]) -> str:
    """An ask as one would type it."""
    return " ".join(("/fleet", *words))


def said(line: str) -> str:
    """A line of ours: what stands in backquotes is code, nothing else is any markup."""
    parts = cut(line, LONGEST_LINE).split("`")
    if len(parts) % 2 == 0:
        return plain(line)
    return "".join(
        code(part) if odd % 2 and part else plain(part) for odd, part in enumerate(parts)
    )


def plain(text: str) -> str:
    return escape(cut(text, LONGEST_LINE), quote=False)


def code(text: str) -> str:
    return f"<code>{plain(text)}</code>"


def _bold(text: str) -> str:
    return f"<b>{plain(text)}</b>"


def units(text: str) -> int:
    """Length as Telegram counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def _fit(lines: Iterator[str], begin: str = "") -> str:
    """As many whole lines as there is room for, so that no tag is cut open."""
    text = begin
    for line in lines:
        longer = f"{text}{line}\n"
        if units(longer) > LONGEST - 2:
            return f"{text}…"
        text = longer
    return text.rstrip("\n")


def _status(status: FleetStatus, shown: Page[InstanceStatus], now: float) -> Iterator[str]:
    yield _bold(wording.counted(status))
    for row in shown.items:
        yield _row(row, status, now)
        for fault in row.faults:
            yield f"    {said(fault.words)}"
    newest = code(status.newest.id) if status.newest else "none of ours"
    yield f"Newest image: {newest}"
    if paged := wording.paged(shown):
        yield f"{paged[0].upper()}{paged[1:]}"
    aged = wording.registry_age(status, now)
    if aged:
        yield f"🟡 {said(aged)}"


def _row(row: InstanceStatus, status: FleetStatus, now: float) -> str:
    told = f"{indicator.light(row)} {_bold(row.id)} {wording.state(row)}"
    if row.host is None:
        return told
    up = older(now - row.host.launched)
    return f"{told} · image {wording.image(row, status)} · up {up}"


def _question(asked: Question, now: float) -> Iterator[str]:
    yield f"🟡 {code(spelled(question_words(asked)))}"
    yield _bold(asked.why)
    for word, ids in wording.moves(asked):
        yield plain(f"{word}: {wording.listed(ids)}")
    left = max(0, round((asked.expires - now) / 60))
    yield f"Only the one who asked can confirm, within {left} min."


def question_words(asked: Question) -> tuple[str, ...]:
    return ("deploy", asked.target, *([asked.image] if asked.image else []))


def _deploying(reply: Deploying) -> Iterator[str]:
    seen = reply.progress
    image = f" with {code(seen.image)}" if seen.image else ""
    named = f"{_STAGES[seen.stage]} {_bold(f'Deploy {seen.target}')}{image}"
    yield f"{named}: {plain(wording.stage(seen))}"
    if len(seen.hosts) <= HOSTS_BY_NAME:
        yield from (_host(host) for host in seen.hosts)
    else:
        yield indicator.bar(seen.hosts, BAR)
        yield from (_host(host) for host in indicator.moving(seen.hosts))
    for name, told in (("At", seen.step), ("Why", seen.reason), ("Next", seen.advice)):
        if told:
            yield f"{name}: {said(told)}"
    if reply.trouble:
        yield f"🟡 {said(reply.trouble)} I keep trying."
    if seen.url.startswith(("https://", "http://")):
        yield f'<a href="{escape(seen.url)}">the run</a>'


def _host(host: HostProgress) -> str:
    moved = f"{code(host.old or 'no host')} → {code(host.new)}"
    return f"{indicator.HOSTS[host.stage]} {_bold(host.id)} {moved} {wording.host_stage(host)}"


def over(reply: Deploying, user_id: str) -> str:
    """The line that calls the asker when their deploy is over; an edit calls nobody."""
    seen = reply.progress
    who = f'<a href="tg://user?id={escape(user_id)}">Your</a>'
    return f"{_STAGES[seen.stage]} {who} deploy of {_bold(seen.target)}: {wording.stage(seen)}."
