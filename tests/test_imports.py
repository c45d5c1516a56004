"""Arrows run one way: who may import whom."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = {
    "fleet_control": ROOT / "skills" / "fleet_control",
    "lambda_fn": ROOT / "lambda_fn",
    "workflows": ROOT / "workflows",
    "sandbox": ROOT / "sandbox",
    "clawbot": ROOT / "clawbot",
}
# What each room may import of the others; nothing that ships imports the sandbox.
MAY = {
    "fleet_control": set[str](),
    "lambda_fn": {"fleet_control"},
    "workflows": {"fleet_control"},
    "sandbox": {"fleet_control", "lambda_fn", "workflows", "clawbot"},
    "clawbot": {"fleet_control"},
}
# Carried into the Lambda, or judged at all three depths: nothing but the standard library.
CARRIED = ("caller", "policy", "ledger")
PURE = ("registry", "caller", "policy", "status", "ledger")
NETWORK = {"aiohttp", "boto3", "botocore", "httpx", "requests", "socket", "urllib", "http"}


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


@pytest.mark.parametrize("name", CARRIED)
def test_what_the_lambda_carries_needs_only_the_standard_library(name: str) -> None:
    for module in imports(ROOMS["fleet_control"] / f"{name}.py"):
        assert _is_carried(module), f"{name}.py imports {module}"


def test_the_lambda_needs_only_the_standard_library() -> None:
    for path in files("lambda_fn"):
        for module in imports(path):
            ours = module.split(".")[0] == "lambda_fn"
            assert ours or _is_carried(module), f"{path.name} imports {module}"


def _is_carried(module: str) -> bool:
    top, _, rest = module.partition(".")
    if top == "fleet_control":
        return not rest or rest.split(".")[0] in CARRIED
    return top in sys.stdlib_module_names


@pytest.mark.parametrize("name", PURE)
def test_what_decides_does_no_io(name: str) -> None:
    path = ROOMS["fleet_control"] / f"{name}.py"
    for module in imports(path):
        assert module.split(".")[0] not in NETWORK, f"{path.name} imports {module}"
