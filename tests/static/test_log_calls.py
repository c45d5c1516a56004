"""Every log call of the bot and of fleet control has the one form, so that its fields can be read
apart from their values."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

from clawbot.log_line import OURS, OWN, TEMPLATE

ROOT = Path(__file__).resolve().parents[2]
ROOMS = {
    "clawbot": ROOT / "clawbot",
    "fleet_control": ROOT / "skills" / "fleet_control",
    "sandbox": ROOT / "sandbox",
}
LEVELS = ("debug", "info", "warning", "error", "exception", "critical")
# Its log is a job's, in GitHub's form.
NO_LOG = {"sandbox/job_runner.py", "sandbox/job_log.py"}


def calls() -> Iterator[tuple[str, ast.Call]]:
    for folder in ROOMS.values():
        for path in sorted(folder.rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if name not in NO_LOG:
                tree = ast.parse(path.read_text())
                yield from ((name, node) for node in ast.walk(tree) if _logs(node))


def _logs(node: ast.AST) -> TypeGuard[ast.Call]:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    logger = ast.unparse(node.func.value)
    if "log" not in logger.rpartition(".")[2] and "getLogger(" not in logger:
        return False
    return node.func.attr in (*LEVELS, "log")


def _template(call: ast.Call) -> tuple[str, int]:
    """A call's template, and how many values it is given."""
    assert isinstance(call.func, ast.Attribute)
    _, *rest = call.args if call.func.attr == "log" else (None, *call.args)
    said, *values = rest
    assert isinstance(said, ast.Constant), "the template must be written where it is used"
    return str(said.value), len(values)


CALLS = [pytest.param(call, id=f"{name}:{call.lineno}") for name, call in calls()]


@pytest.mark.parametrize("call", CALLS)
def test_a_log_call_is_an_event_and_named_fields(call: ast.Call) -> None:
    template, count = _template(call)
    found = TEMPLATE.fullmatch(template)
    assert found, template
    names = [one.partition("=")[0] for one in found["fields"].split()]
    assert len(names) == count or any(isinstance(one, ast.Starred) for one in call.args)
    assert len(set(names)) == len(names)
    assert not set(names) & set(OWN)


def test_there_are_such_calls_in_every_room() -> None:
    assert len(CALLS) > 80
    assert set(OURS) == set(ROOMS)
