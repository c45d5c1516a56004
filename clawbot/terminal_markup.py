"""Replies as a terminal shows them: lines of text, which rich colours or, for a pipe, does not."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from clawbot.progress import HostProgress, HostStage, Progress, Stage
from clawbot.replies import Deploying, Notice, Question, Reply, StatusReport, Tone
from fleet_control.policy import Condition
from fleet_control.status import FleetStatus, Health, HostState, InstanceStatus, Problem, older

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
    HostStage.WAITING: ("·", "waiting", "dim"),
    HostStage.REPLACING: ("▸", "replacing", "cyan"),
    HostStage.HEALTHY: ("✓", "replaced, healthy", "green"),
    HostStage.FAILED: ("✗", "failed", "red"),
    HostStage.UNTOUCHED: ("·", "untouched", "dim"),
}
_FAULTS = {
    Problem.MISSING: ("missing", "red"),
    Problem.NOT_HEALTHY: ("not healthy", "red"),
    Problem.TWO_HOSTS: ("with two hosts", "red"),
    Problem.UNREGISTERED: ("not in the registry", "yellow"),
    Problem.WRONG_TYPE: ("of the wrong type", "yellow"),
    Problem.OLDER_IMAGE: ("on an older image", "yellow"),
}
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
    pages = max(1, -(-len(status.rows) // ROWS_A_PAGE))
    page = min(max(page, 0), pages - 1)
    rows = status.rows[page * ROWS_A_PAGE : (page + 1) * ROWS_A_PAGE]
    yield Text(_headline(status))
    cells = [_cells(row, status, now) for row in rows]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *cells, strict=True)]
    yield Text(_aligned(_COLUMNS, widths), style="dim")
    for row, line in zip(rows, cells, strict=True):
        yield Text(_aligned(line, widths), style=_row_style(row))
        for fault in row.faults:
            yield Text(f"    {fault.words}", style=_FAULTS[fault.problem][1])
    if pages > 1:
        more = f"; the next: /fleet status {page + 2}" if page + 1 < pages else ""
        yield Text(f"Page {page + 1} of {pages}, worst first{more}", style="dim")
    if not status.registry.fresh:
        age = older(now - status.registry.read_at)
        trouble = status.registry.trouble
        yield Text(f"What I know of the registry is {age} old. {trouble}", style="yellow")


def _headline(status: FleetStatus) -> str:
    count = sum(row.instance is not None for row in status.rows)
    healthy = sum(row.condition is Condition.HEALTHY for row in status.rows)
    replacing = sum(row.replacing for row in status.rows)
    said = [f"{count} instance{'s' if count != 1 else ''}", f"{healthy} healthy"]
    said += [f"{replacing} being replaced"] * bool(replacing)
    said += [f"{n} {_FAULTS[problem][0]}" for problem, n in status.counts.items()]
    newest = f"newest image {status.newest.id}" if status.newest else "no image of ours"
    return f"{', '.join(said)}; {newest}"


def _cells(row: InstanceStatus, status: FleetStatus, now: float) -> tuple[str, ...]:
    host = row.host
    if host is None:
        leaving = row.leaving[0].id if row.leaving else "-"
        return (row.id, _state(row), "-", "-", "-", "-", leaving)
    return (
        row.id,
        _state(row),
        _image(row, status),
        host.type,
        older(now - host.launched),
        host.address or "-",
        host.id,
    )


def _state(row: InstanceStatus) -> str:
    if row.host is None:
        return "replacing" if row.replacing else "missing"
    if row.replacing:
        return "replacing" if row.leaving or row.host.state is HostState.PENDING else "starting"
    if row.host.state is not HostState.RUNNING:
        return row.host.state.value
    return "healthy" if row.host.health is Health.OK else row.host.health.value


def _image(row: InstanceStatus, status: FleetStatus) -> str:
    if row.is_newest:
        return "newest"
    if row.image and status.newest:
        return f"{older(status.newest.created - row.image.created)} older"
    return "not ours"


def _row_style(row: InstanceStatus) -> str:
    if row.worst in (Problem.MISSING, Problem.NOT_HEALTHY, Problem.TWO_HOSTS):
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
            yield Text(f"  {word}: {_listed(ids)}")
    yield Text("Go ahead? Say yes or no, within two minutes.")


def _listed(ids: tuple[str, ...]) -> str:
    more = f" and {len(ids) - 12} more" if len(ids) > 12 else ""
    return ", ".join(ids[:12]) + more


def _deploying(reply: Deploying) -> Iterator[Text]:
    seen = reply.progress
    mark, style = _STAGES[seen.stage]
    yield Text(f"{mark} deploy {seen.target}: {_headline_of(seen)}", style=style)
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


def _headline_of(seen: Progress) -> str:
    match seen.stage:
        case Stage.ASKING:
            return "asking … If this has not changed in two minutes, look at the runs first."
        case Stage.QUEUED if seen.ahead:
            return f"queued, {seen.ahead} before it"
        case Stage.QUEUED:
            return "queued"
        case Stage.RUNNING:
            return "replacing" if seen.hosts else "planning"
        case Stage.UNKNOWN:
            return "can't be confirmed"
        case stage:
            return f"{stage} after {_took(seen.took)}" if seen.took else str(stage)


def _took(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _host(host: HostProgress, width: int) -> Text:
    mark, word, style = _HOSTS[host.stage]
    moved = f"{host.old or 'no host'} -> {host.new}"
    return Text(f"  {mark} {host.id.ljust(width)}  {moved}  {word}", style=style)
