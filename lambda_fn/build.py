"""The function's zip: the same bytes from the same sources, whoever builds it, when, and with
which Python.

``python3 -m lambda_fn.build OUT.zip``

What only readers and type checkers need is left out (see lean.py), so that it stays within 24 KiB
and starts fast.
"""

import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from lambda_fn.lean import lean

MOST_BYTES = 24 * 1024
SHARED = ("__init__", "caller", "ledger", "policy")

_BUILDERS = ("build.py", "lean.py")
_NO_TIME = (1980, 1, 1, 0, 0, 0)  # the first one a zip can hold
_UNIX = 3
_READABLE = 0o100644  # AWS runs the function as a user of its own


def sources(root: Path) -> Iterator[tuple[str, Path]]:
    """What the zip holds, as (name in it, file), in a fixed order."""
    # A checkout keeps it among the skills, a wheel beside us.
    checkout = root / "skills" / "fleet_control"
    shared = checkout if checkout.is_dir() else root / "fleet_control"
    for module in SHARED:
        yield f"fleet_control/{module}.py", shared / f"{module}.py"
    for path in sorted((root / "lambda_fn").glob("*.py")):
        if path.name not in _BUILDERS:
            yield f"lambda_fn/{path.name}", path


def build(root: Path) -> bytes:
    """The zip; ValueError if it is larger than was promised."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, path in sources(root):
            info = zipfile.ZipInfo(name, _NO_TIME)
            info.create_system = _UNIX
            info.external_attr = _READABLE << 16
            text = lean(path.read_text("utf-8"))
            # What is empty would only grow.
            kind = zipfile.ZIP_DEFLATED if text else zipfile.ZIP_STORED
            archive.writestr(info, text, kind, 9)
    content = buffer.getvalue()
    if len(content) > MOST_BYTES:
        raise ValueError(f"the zip has {len(content)} bytes; it may have {MOST_BYTES}")
    return content


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python3 -m lambda_fn.build OUT.zip\n")
        return 2
    try:
        content = build(Path(__file__).resolve().parent.parent)
    except ValueError as error:
        sys.stderr.write(f"lambda_fn.build: {error}\n")
        return 1
    out = Path(arguments[0])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(content)
    sys.stdout.write(f"{out}: {len(content)} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
