"""The fleet's status as a table in a terminal."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from clawbot import page as pages
from clawbot import wording
from clawbot.replies import StatusReport
from fleet_control import phrases
from fleet_control.duration import short
from fleet_control.fault import GRAVE, Problem
from fleet_control.host import Image
from fleet_control.status import FleetStatus, InstanceStatus, natural

ROWS_A_PAGE = 20
_COLUMNS = ("INSTANCE", "STATE", "IMAGE", "REVISION", "TYPE", "UP", "ADDRESS", "HOST")
_IMAGE_COLUMN = _COLUMNS.index("IMAGE")
# What a narrow terminal does without, the first of these first.
_SPARED = ("ADDRESS", "TYPE", "UP")
_IMAGES_SHOWN = 5
_IDS_SHOWN = 3


def lines(report: StatusReport, now: float, room: int | None = None) -> Iterator[Text]:
    """One page of it, worst first; `now` in Unix seconds, `room` in columns, None for any."""
    status = report.status
    shown = pages.page(status.rows, report.page, ROWS_A_PAGE)
    yield Text(wording.counted(status), style="bold")
    if report.held:
        yield Text(report.held, style="yellow")
    for fault in status.faults:
        yield Text(phrases.of_the_fleet(fault), style="yellow")
    yield Text()
    cells = [_cells(row, status, now) for row in shown.items]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *cells, strict=True)]
    _narrow(widths, room)
    yield _aligned(_COLUMNS, widths, ["dim"] * len(widths))
    for row, line in zip(shown.items, cells, strict=True):
        yield _aligned(line, widths, _styles(row))
        for fault in row.faults:
            if fault.problem is Problem.OLDER_IMAGE and row.image:
                continue  # its column says so
            yield Text(f"    {fault.in_short}", style="red" if fault.problem in GRAVE else "yellow")
        if said := phrases.own_answer(row, now):
            yield Text(f"    {said}", style="dim")
    if paged := wording.paged(shown):
        here = shown.number + 1
        more = f"; the next: /fleet status {here + 1}" if here < shown.count else ""
        yield Text(f"  {paged}{more}", style="dim")
    yield Text()
    yield from _images(status, now)
    if status.newest_revision:
        yield Text(f"  NEWEST REVISION  {phrases.told(status.newest_revision, now)}", style="dim")
    if age := phrases.registry_age(status.known, now):
        yield Text()
        yield Text(age, style="yellow")


def _cells(row: InstanceStatus, status: FleetStatus, now: float) -> tuple[str, ...]:
    host = row.host
    if host is None:
        leaving = row.leaving[0].id if row.leaving else "-"
        return (row.id, wording.state(row), *("-",) * 5, leaving)
    return (
        row.id,
        wording.state(row),
        wording.image(row, status),
        phrases.revision(row, status),
        host.type,
        short(now - host.launched),
        host.address or "-",
        host.id,
    )


def _narrow(widths: list[int], room: int | None) -> None:
    """Set columns' widths to 0 until a row fits."""
    for name in _SPARED:
        if room is None or sum(width + 2 for width in widths if width) <= room:
            return
        widths[_COLUMNS.index(name)] = 0


def _styles(row: InstanceStatus) -> list[str]:
    """The style of each column: one for all where something is grave, else by what is odd."""
    if row.worst in GRAVE:
        return ["red"] * len(_COLUMNS)
    plain = "cyan" if row.replacing else ""
    styles = [plain] * len(_COLUMNS)
    styles[1] = plain or ("green" if row.condition else "yellow")
    if not row.is_newest:
        styles[_IMAGE_COLUMN] = "yellow"
    return styles


def _aligned(cells: Sequence[str], widths: Sequence[int], styles: Sequence[str]) -> Text:
    line = Text("  ")
    for cell, width, style in zip(cells, widths, styles, strict=True):
        if not width:
            continue
        line.append(cell.ljust(width), style=style)
        line.append("  ")
    line.rstrip()
    return line


def _images(status: FleetStatus, now: float) -> Iterator[Text]:
    """The images that can be deployed, each with the instances that run it."""
    if not status.images:
        yield Text("  There is no image of ours that could be deployed.", style="yellow")
        return
    yield Text("  IMAGES, newest first", style="dim")
    old = [short(now - image.created) for image in status.images[:_IMAGES_SHOWN]]
    width = max(map(len, old))
    for image, made in zip(status.images, old, strict=False):
        yield Text(f"  {image.id}  {made.rjust(width)} old  {_runners(image, status)}".rstrip())


def _runners(image: Image, status: FleetStatus) -> str:
    on_it = (row.id for row in status.rows if row.host and row.host.image == image.id)
    return wording.listed(tuple(sorted(on_it, key=natural)), _IDS_SHOWN)
