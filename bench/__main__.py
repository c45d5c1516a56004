"""`make bench`: each claim of speed as a ratio within one run; writes docs/speed.md's table."""

import importlib
import platform
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from bench.row import Row

PAGE = Path(__file__).parents[1] / "docs/speed.md"
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
# Each module has `measure() -> list[Row]`.
MEASURED = ("bench.control_api", "bench.status", "bench.discord", "bench.telegram")


def main() -> int:
    rows: list[Row] = []
    for name in MEASURED:
        print(f"{name} …", file=sys.stderr)
        measure: Callable[[], list[Row]] = importlib.import_module(name).measure
        rows += measure()
    written = table(rows)
    print(written)
    PAGE.write_text(between(PAGE.read_text(), written))
    return 1 if any(row.ratio > row.limit for row in rows) else 0


def table(rows: Iterable[Row]) -> str:
    """The rows in Markdown, with the machine they were measured on."""
    head = [
        "| what | here | measured against | it takes | ratio | at most |",
        "| --- | ---: | --- | ---: | ---: | ---: |",
    ]
    lines = [
        f"| {row.what} | {row.ours_ms:.0f} ms | {row.theirs} | {row.theirs_ms:.0f} ms "
        f"| {row.ratio:.2f} | {row.limit:.2f} |"
        for row in rows
    ]
    machine = f"Medians, Python {platform.python_version()} on {platform.machine()} Linux."
    return "\n".join([machine, "", *head, *lines])


def between(text: str, written: str) -> str:
    """`text` with what stands between the two marks replaced."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{written}\n{END}{after}"


if __name__ == "__main__":
    sys.exit(main())
