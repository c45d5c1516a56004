"""Arrows run one way: who may import whom."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambda_fn.build import sources

ROOT = Path(__file__).parents[1]
ROOMS = {
    "fleet_control": ROOT / "skills" / "fleet_control",
    "lambda_fn": ROOT / "lambda_fn",
    "workflows": ROOT / "workflows",
    "sandbox": ROOT / "sandbox",
    "clawbot": ROOT / "clawbot",
    **{name: ROOT / name for name in ("tests", "bench", "docs")},
}
# What each room may import of the others; nothing that ships imports the sandbox.
MAY = {
    "fleet_control": set[str](),
    "lambda_fn": {"fleet_control"},
    "workflows": {"fleet_control"},
    "sandbox": {"fleet_control", "lambda_fn", "workflows", "clawbot"},
    "clawbot": {"fleet_control"},
    # Nothing imports these but each other.
    **{room: set(ROOMS) for room in ("tests", "bench", "docs")},
}
PURE = ("registry", "caller", "policy", "status", "ledger", "run_title", "github")
NETWORK = {"aiohttp", "boto3", "botocore", "httpx", "requests", "socket", "urllib", "http"}
# Of these, what only takes a URL apart or puts one together.
HARMLESS = {"urllib.parse", "urllib.parse.urlencode"}


def files(room: str) -> Iterator[Path]:
    yield from sorted(ROOMS[room].rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield f"{node.module}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(module: str) -> str | None:
    return next((room for room in ROOMS if module == room or module.startswith(f"{room}.")), None)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_below_it(room: str) -> None:
    for path in files(room):
        for module in imports(path):
            other = room_of(module)
            assert other in (None, room) or other in MAY[room], (
                f"{path.relative_to(ROOT)} imports {module}"
            )


def test_the_lambda_needs_only_the_standard_library_and_what_its_zip_carries() -> None:
    carried = dict(sources(ROOT))
    ours = {name.removesuffix(".py").replace("/", ".") for name in carried}
    may = {"fleet_control", "lambda_fn", *ours, *sys.stdlib_module_names}
    for name, path in carried.items():
        for module in imports(path):
            depth = 2 if room_of(module) else 1
            assert ".".join(module.split(".")[:depth]) in may, f"{name} imports {module}"


@pytest.mark.parametrize("name", PURE)
def test_what_decides_does_no_io(name: str) -> None:
    path = ROOMS["fleet_control"] / f"{name}.py"
    for module in imports(path):
        assert module in HARMLESS or module.split(".")[0] not in NETWORK, (
            f"{path.name} imports {module}"
        )
