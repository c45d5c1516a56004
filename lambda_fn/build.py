"""Builds the function's zip: the same sources make the same bytes.

``python3 -m lambda_fn.build OUT.zip``
"""

import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

# What of fleet_control the function carries: nothing but the standard library is under these.
SHARED = (
    *(
        "__init__",
        "announcement",
        "caller",
        "deploy_jobs",
        "duplicate",
        "duration",
        "freeze",
        "github",
        "host_change",
    ),
    *("last_words", "ledger", "line", "policy", "preflight", "roll_stop", "run_row", "run_title"),
    *("seed", "state_lock", "table_item", "verdict"),
)

_NO_TIME = (1980, 1, 1, 0, 0, 0)  # the first one a zip can hold
_UNIX = 3
_READABLE = 0o100644  # AWS runs the function as a user of its own


def sources(checkout: Path) -> Iterator[tuple[str, Path]]:
    """What the zip holds, as (name in it, file), in a fixed order."""
    for module in SHARED:
        yield f"fleet_control/{module}.py", checkout / "skills" / "fleet_control" / f"{module}.py"
    for path in sorted((checkout / "lambda_fn").glob("*.py")):
        if path.name != "build.py":
            yield f"lambda_fn/{path.name}", path


def build(checkout: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, path in sources(checkout):
            info = zipfile.ZipInfo(name, _NO_TIME)
            info.create_system = _UNIX
            info.external_attr = _READABLE << 16
            archive.writestr(info, path.read_text("utf-8"), zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python3 -m lambda_fn.build OUT.zip\n")
        return 2
    content = build(Path(__file__).resolve().parents[1])
    out = Path(arguments[0])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(content)
    sys.stdout.write(f"{out}: {len(content)} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
