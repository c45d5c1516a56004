"""Replies as a terminal shows them: lines of text, which rich colours or, for a pipe, does not."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from rich.text import Text

from clawbot import wording
from clawbot.fleet_channel import watch_words
from clawbot.indicator import bar
from clawbot.progress import HostProgress, HostStage, Progress, Stage
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
    is_final,
)
from fleet_control import history, phrases
from fleet_control.duration import exact, older, short
from fleet_control.last_words import quoted
from fleet_control.line import printable
from fleet_control.preflight import Outcome
from sandbox.terminal import status

PROMPT = "> "
WIDTH = 100
HOSTS_SHOWN = 12
BAR = 20
_TONES = {Tone.PLAIN: "", Tone.REFUSED: "yellow", Tone.BROKEN: "red"}
# Of a run, by its stage or by the history's word for it, which are the same words.
_STAGES: Mapping[str, tuple[str, str]] = {
    Stage.ASKING: ("…", "cyan"),
    Stage.QUEUED: ("…", "cyan"),
    Stage.RUNNING: ("▸", "cyan"),
    Stage.DONE: ("✓", "green"),
    Stage.FAILED: ("✗", "red"),
    Stage.CANCELLED: ("■", "yellow"),
    Stage.STOPPED: ("■", "yellow"),
    Stage.UNKNOWN: ("?", "yellow"),
}
_HOSTS = {
    HostStage.WAITING: ("·", "dim"),
    HostStage.REPLACING: ("▸", "cyan"),
    HostStage.HEALTHY: ("✓", "green"),
    HostStage.FAILED: ("✗", "red"),
    HostStage.UNTOUCHED: ("·", "dim"),
}

_CHECKS = {Outcome.OK: "green", Outcome.WRONG: "red", Outcome.UNSEEN: "yellow"}


def is_settled(reply: Reply) -> bool:
    """Whether nothing more will happen to this reply by itself."""
    return is_final(reply) or isinstance(reply, Question)


def render(reply: Reply, now: float, room: int | None = None) -> Text:  # noqa: PLR0911  (one a kind of reply)
    """A reply as lines; `now` in Unix seconds, for ages; `room` in columns, None for any."""
    width = min(room or WIDTH, WIDTH)
    match reply:
        case Notice():
            return _joined(_notice(reply, width), _TONES[reply.tone])
        case StatusReport():
            return _joined(status.lines(reply, now, room))
        case HistoryReport():
            return _joined(_history(reply, now, width))
        case Question():
            return _joined(_question(reply, width))
        case Deploying():
            return _joined(_deploying(reply, now, width))
        case PreflightReport():
            return _joined(_preflight(reply, width))
        case GoesOn():
            return _joined(_wrapped("", f"{reply.what}: {wording.goes_on('')}", width))
        case WatchReport():
            return _joined(_watch(reply, width))


def _watch(report: WatchReport, width: int) -> Iterator[Text]:
    yield Text(watch_words.title(report), style="bold")
    for row in watch_words.rows(report)[: watch_words.ROWS_AT_ALL]:
        yield from _wrapped(f"{row.light} ", f"{row.who}: {row.words}", width)
        yield from _wrapped("   ", row.repair, width)
    yield from _wrapped("", watch_words.more(report), width)


def _joined(lines: Iterable[Text], style: str = "") -> Text:
    return Text("\n", style=style).join(_tame(line) for line in lines)


def _tame(line: Text) -> Text:
    line.plain = printable(line.plain)
    return line


def heard(line: str) -> Text:
    """A line that somebody said, as the terminal repeats it."""
    return Text(PROMPT + printable(line), style="bold")


def _plain(text: str) -> str:
    return printable(text.strip()).replace("`", "").strip()


def _notice(notice: Notice, width: int) -> Iterator[Text]:
    said = f"refused ({notice.code}): " if notice.tone is Tone.REFUSED else ""
    for number, line in enumerate(notice.lines):
        yield from _wrapped("", line if number else said + line, width)


def _wrapped(label: str, text: str, width: int, style: str = "") -> Iterator[Text]:
    """Long sentences in short lines, indented below their label."""
    for line in textwrap.wrap(
        label + _plain(text),
        width,
        subsequent_indent=" " * len(label),
        break_long_words=False,
        break_on_hyphens=False,
    ):
        yield Text(line, style=style)


def _history(report: HistoryReport, now: float, width: int) -> Iterator[Text]:
    shown = report.shown
    yield Text(history.title(report.target), style="bold")
    for row in shown.items:
        mark, style = _STAGES[row.outcome]
        told = f"{wording.done(row)}: {row.ended}, {older(now - row.asked)} ago"
        yield from _wrapped(f"{mark} ", told, width, style)
        if row.moved:
            yield from _wrapped("    ", row.moved, width)
        yield Text(f"    {row.by}, run {row.run_id}, {row.url}".rstrip(", "), style="dim")
    if not shown.items:
        yield Text(history.nothing(report.target))
    if paged := wording.paged(shown, "newest first"):
        words = " ".join(filter(None, ("/fleet history", report.target, str(shown.number + 2))))
        more = f"; the next: {words}" if shown.number + 1 < shown.count else ""
        yield Text(f"  {paged}{more}", style="dim")
    if report.beside:
        yield from _wrapped("  ", report.beside, width, "yellow")


def _question(question: Question, width: int) -> Iterator[Text]:
    yield from _wrapped("", question.why, width, "bold")
    shown, more = wording.hosts(question)
    for id_, lines in shown:
        yield Text(f"  {id_}")
        for line in lines:
            yield from _wrapped("    ", line, width)
    if more:
        yield Text(f"  … {more}", style="dim")
    for word, ids in wording.moves(question):
        yield from _wrapped(f"  {word:<8}  ", wording.listed(ids), width)
    yield Text("Go ahead? Say yes or no, within two minutes.")


def _deploying(reply: Deploying, now: float, width: int) -> Iterator[Text]:
    seen = reply.progress
    mark, style = _STAGES[seen.stage]
    yield from _wrapped(f"{mark} ", f"{_what(seen)}: {_stage(seen, now)}", width, style)
    yield from _asked(reply, now, width)
    if seen.made_of:
        yield from _wrapped("  ", wording.made_of(seen), width)
    yield from _hosts(seen.hosts, now)
    if seen.step:
        yield from _wrapped("  at:   ", seen.step, width)
    if seen.reason:
        yield from _wrapped("  why:  ", seen.reason, width)
    if words := seen.last_words:
        yield from _wrapped("  ", f"last words of {words.instance}:", width)
        yield from (Text(f"  {line}", style="dim") for line in quoted(words))
    if seen.advice:
        yield from _wrapped("  next: ", seen.advice, width)
    if reply.trouble:
        yield from _wrapped("  ", f"{reply.trouble} I keep trying.", width, "yellow")
    if reply.note:
        yield from _wrapped("  note: ", reply.note, width, "yellow")
    if seen.url:
        yield Text(f"  {seen.url}", style="dim")


def _asked(reply: Deploying, now: float, width: int) -> Iterator[Text]:
    if by := wording.asked_by(reply):
        when = f", {older(now - reply.asked_at)} ago" if reply.asked_at else ""
        yield from _wrapped("  ", f"{by}{when}", width)
    # Since when it runs stands beside its stage.
    to_come = replace(reply.progress, began=0.0)
    yield from _wrapped("  ", wording.moments(to_come, lambda when: _until(when - now)), width)


def _until(seconds: float) -> str:
    return f"in {short(seconds)}" if seconds > 0 else "by now"


def _what(seen: Progress) -> str:
    title = wording.what(seen.operation, seen.target)
    return f"{title[:1].lower()}{title[1:]}{wording.overriding(seen.override)}"


def _stage(seen: Progress, now: float) -> str:
    said = wording.stage(seen)
    if seen.stage is Stage.RUNNING and seen.began:
        return f"{said}, {short(now - seen.began)}"
    return said


def _hosts(hosts: tuple[HostProgress, ...], now: float) -> Iterator[Text]:
    """Of several below how far they are; of many those around the one that moves."""
    if len(hosts) > 1:
        yield Text(f"  {bar(hosts, BAR)}")
    shown, left_out = around_the_action(hosts, HOSTS_SHOWN)
    longest = max((len(host.id) for host in shown), default=0)
    yield from (_host(host, longest, now) for host in shown)
    if left_out:
        yield Text(f"  … {_counted(left_out)}", style="dim")


def _host(host: HostProgress, longest: int, now: float) -> Text:
    mark, style = _HOSTS[host.stage]
    word = wording.host_stage(host)
    if host.took:
        word += f", {exact(host.took)}"
    elif host.stage is HostStage.REPLACING and host.began:
        word += f", {short(now - host.began)}"
    moved = f"{host.old or 'no host'} -> {wording.becomes(host)}"
    return Text(f"  {mark} {host.id.ljust(longest)}  {moved}  {word}", style=style)


def around_the_action(
    hosts: tuple[HostProgress, ...], most: int
) -> tuple[tuple[HostProgress, ...], tuple[HostProgress, ...]]:
    """At most so many hosts, those that failed or move among them; and the others."""
    if len(hosts) <= most:
        return hosts, ()
    active = (HostStage.REPLACING, HostStage.FAILED)
    ended = sum(host.stage is HostStage.HEALTHY for host in hosts)
    at = next((n for n, host in enumerate(hosts) if host.stage in active), ended)
    begin = min(max(at - most // 2, 0), len(hosts) - most)
    return hosts[begin : begin + most], hosts[:begin] + hosts[begin + most :]


def _counted(hosts: tuple[HostProgress, ...]) -> str:
    stages = [host.stage for host in hosts]
    said = (
        f"{stages.count(stage)} {wording.HOST_STAGES[stage]}"
        for stage in HostStage
        if stage in stages
    )
    return f"and {len(hosts)} more: {'; '.join(said)}"


def _preflight(report: PreflightReport, width: int) -> Iterator[Text]:
    yield Text(wording.preflight(report), style="bold")
    for one in phrases.worst_first(report.checks):
        told = f"{one.name}: {one.told}"
        style = _CHECKS[one.outcome]
        yield from _wrapped(f"{phrases.MARKS[one.outcome]} ", told, width, style)
        yield from _wrapped("  ", one.advice, width) if one.advice else ()
