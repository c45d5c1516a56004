"""Replies as embeds, within Discord's limits whatever the fleet's size."""

from collections.abc import Iterator
from datetime import UTC, datetime

import discord

from clawbot import indicator, wording
from clawbot.discord import limits, reports
from clawbot.discord.link import told_in
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
from clawbot.page import cut
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
from fleet_control.last_words import quoted
from fleet_control.line import printable

# Three of them for each host of a question, or one of many more.
LONGEST_MOVE = 150
BAR = 20

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


def embed(reply: Reply, now: float, guild: int = 0) -> discord.Embed:
    """A reply as the one embed that shows it; `now` in Unix seconds, for ages; `guild` is where the
    fleet's channel is."""
    made = _drawn(reply, now, guild)
    text, over = made.description or "", len(made) - limits.EMBED_TOGETHER
    if over > 0:
        made.description = cut(text, len(text) - over)
    return made


def _drawn(reply: Reply, now: float, guild: int) -> discord.Embed:  # noqa: PLR0911  (one a kind of reply)
    match reply:
        case Notice():
            text = "\n".join(said(line) for line in reply.lines)
            return titled("", text, _TONES[reply.tone])
        case StatusReport():
            return reports.fleet_status(reply, now)
        case HistoryReport():
            return reports.history_page(reply)
        case Question():
            return _question(reply)
        case Deploying():
            return _deploying(reply, now)
        case PreflightReport():
            return reports.preflight(reply)
        case GoesOn():
            return _goes_on(reply, guild)
        case WatchReport():
            return reports.watch(reply)


def _goes_on(reply: GoesOn, guild: int) -> discord.Embed:
    where = told_in(guild, reply.channel, reply.message)
    return titled(plain(reply.what, limits.EMBED_TITLE), wording.goes_on(where), GREY)


def _question(asked: Question) -> discord.Embed:
    told = [said(asked.why)] * bool(asked.why)
    shown, more = wording.hosts(asked)
    told += [line for id_, lines in shown for line in _moved(id_, lines)]
    told += [more] * bool(more)
    if not (asked.image_or_commit or asked.operation):
        told.append("With the newest image.")
    asker = asked.asker.partition(":")[2]
    who = f"<@{asker}>" if asker.isdecimal() else "the one who asked"
    told.append(f"Only {who} can answer; this ends {moment(asked.expires)}.")
    title = f"{_what(asked)}?"
    made = titled(title, "\n".join(told), YELLOW)
    for word, ids in wording.moves(asked):
        listed = cut(plain(wording.listed(ids), limits.FIELD_VALUE), limits.FIELD_VALUE)
        made.add_field(name=f"{word}: {len(ids)}", value=listed, inline=False)
    return made


def _moved(id_: str, lines: tuple[str, ...]) -> Iterator[str]:
    yield f"**{plain(id_)}**"
    for line in lines:
        yield f"-# {words(line, LONGEST_MOVE)}"


def _what(asked: Question | Progress) -> str:
    return wording.what(asked.operation, plain(asked.target))


def _deploying(reply: Deploying, now: float) -> discord.Embed:
    """Its timestamp is when the deploy ended: by that a successor knows that this end was told."""
    seen = reply.progress
    named = f" with {plain(seen.image_or_commit, 100)}" if seen.image_or_commit else ""
    title = f"{_what(seen)}{named}{wording.overriding(seen.override)}"
    made = titled(title, "\n".join(_told(reply)), _STAGES[seen.stage])
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
        when = f" {moment(reply.asked_at)}" if reply.asked_at else ""
        yield f"{words(by, LONGEST_ROW)}{when}"
    if moments := wording.moments(seen, moment):
        yield moments
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
