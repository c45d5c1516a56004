"""Replies as a terminal shows them: lines of text, which rich colours or, for a pipe, does not."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from clawbot import page as pages
from clawbot import wording
from clawbot.progress import HostProgress, HostStage, Stage
from clawbot.replies import Deploying, Notice, Question, Reply, StatusReport, Tone
from fleet_control.status import FleetStatus, InstanceStatus, Problem, older

ROWS_A_PAGE = 20
_TONES = {Tone.PLAIN: "", Tone.REFUSED: "yellow", Tone.BROKEN: "red"}
_STAGES = {
    Stage.ASKING: ("…", "cyan"),
    Stage.QUEUED: ("…", "cyan"),
    Stage.RUNNING: ("▸", "cyan"),
    Stage.DONE: ("✓", "green"),
    Stage.FAILED: ("✗", "red"),
    Stage.CANCELLED: ("■", "yellow"),
    Stage.UNKNOWN: ("?", "yellow"),
}
_HOSTS = {
    HostStage.WAITING: ("·", "dim"),
    HostStage.REPLACING: ("▸", "cyan"),
    HostStage.HEALTHY: ("✓", "green"),
    HostStage.FAILED: ("✗", "red"),
    HostStage.UNTOUCHED: ("·", "dim"),
}
_GRAVE = (Problem.MISSING, Problem.NOT_HEALTHY, Problem.TWO_HOSTS)
_COLUMNS = ("INSTANCE", "STATE", "IMAGE", "TYPE", "UP", "ADDRESS", "HOST")


def render(reply: Reply, now: float) -> Text:
    """A reply as lines; `now` in Unix seconds, for ages."""
    match reply:
        case Notice():
            lines: Iterator[Text] = iter([Text(line.replace("`", "")) for line in reply.lines])
            return _joined(lines, _TONES[reply.tone])
        case StatusReport():
            return _joined(_status(reply.status, reply.page, now))
        case Question():
            return _joined(_question(reply))
        case Deploying():
            return _joined(_deploying(reply))


def _joined(lines: Iterator[Text], style: str = "") -> Text:
    return Text("\n", style=style).join(lines)


def _status(status: FleetStatus, page: int, now: float) -> Iterator[Text]:
    shown = pages.page(status.rows, page, ROWS_A_PAGE)
    yield Text(_headline(status))
    cells = [_cells(row, status, now) for row in shown.items]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *cells, strict=True)]
    yield Text(_aligned(_COLUMNS, widths), style="dim")
    for row, line in zip(shown.items, cells, strict=True):
        yield Text(_aligned(line, widths), style=_row_style(row))
        for fault in row.faults:
            if fault.problem is Problem.OLDER_IMAGE and row.image:
                continue  # its column says so
            yield Text(f"    {fault.words}", style="red" if fault.problem in _GRAVE else "yellow")
    if shown.count > 1:
        number = shown.number + 1
        more = f"; the next: /fleet status {number + 1}" if number < shown.count else ""
        yield Text(f"Page {number} of {shown.count}, worst first{more}", style="dim")
    if age := wording.registry_age(status, now):
        yield Text(age, style="yellow")


def _headline(status: FleetStatus) -> str:
    newest = f"newest image {status.newest.id}" if status.newest else "no image of ours"
    return f"{wording.counted(status)}; {newest}"


def _cells(row: InstanceStatus, status: FleetStatus, now: float) -> tuple[str, ...]:
    host = row.host
    if host is None:
        leaving = row.leaving[0].id if row.leaving else "-"
        return (row.id, wording.state(row), "-", "-", "-", "-", leaving)
    return (
        row.id,
        wording.state(row),
        wording.image(row, status),
        host.type,
        older(now - host.launched),
        host.address or "-",
        host.id,
    )


def _row_style(row: InstanceStatus) -> str:
    if row.worst in _GRAVE:
        return "red"
    if row.replacing:
        return "cyan"
    return "yellow" if row.faults else "green"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"  {'  '.join(padded)}".rstrip()


def _question(question: Question) -> Iterator[Text]:
    yield Text(question.why, style="bold")
    for word, ids in (
        ("Replaced", question.replaced),
        ("Created", question.created),
        ("Removed", question.removed),
    ):
        if ids:
            yield Text(f"  {word}: {wording.listed(ids)}")
    yield Text("Go ahead? Say yes or no, within two minutes.")


def _deploying(reply: Deploying) -> Iterator[Text]:
    seen = reply.progress
    mark, style = _STAGES[seen.stage]
    yield Text(f"{mark} deploy {seen.target}: {wording.stage(seen)}", style=style)
    for host in seen.hosts:
        yield _host(host, max(len(one.id) for one in seen.hosts))
    for told in (seen.step and f"  at: {seen.step}", seen.reason and f"  why: {seen.reason}"):
        if told:
            yield Text(told)
    if seen.advice:
        yield Text(f"  next: {seen.advice.replace('`', '')}")
    if reply.trouble:
        yield Text(f"  {reply.trouble} I keep trying.", style="yellow")
    if seen.url:
        yield Text(f"  {seen.url}", style="dim")


def _host(host: HostProgress, width: int) -> Text:
    mark, style = _HOSTS[host.stage]
    word = wording.HOST_STAGES[host.stage]
    moved = f"{host.old or 'no host'} -> {host.new}"
    return Text(f"  {mark} {host.id.ljust(width)}  {moved}  {word}", style=style)
