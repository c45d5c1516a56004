"""The README is held to what is there."""

import re
from pathlib import Path

import pytest

from clawbot.commands import HELP
from lambda_fn.build import SHARED
from tests.program import program
from tests.test_imports import MAY, ROOMS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = (ROOT / "docs/commands.md").read_text()
DEMO = (ROOT / "docs/demo.md").read_text()
# A screen and a half.
MOST_LINES = 110


def map_of(page: str) -> str:
    """What stands between its two marks, without the fences."""
    return page.partition("<!-- map -->")[2].partition("<!-- /map -->")[0].strip("\n`")


MAP = map_of(README)


def _commands(page: str) -> list[str]:
    return [line[2:] for line in page.splitlines() if line.startswith("- `/fleet")]


def test_the_page_of_commands_is_the_help_of_the_bot_and_the_readme_has_the_everyday_ones() -> None:
    assert _commands(COMMANDS) == [*HELP.lines]
    assert [line for line in HELP.lines if line in _commands(README)] == _commands(README) != []


def test_it_is_a_screen_and_a_half() -> None:
    assert len(README.splitlines()) <= MOST_LINES


@pytest.mark.parametrize("page", [README, DEMO], ids=["README", "demo"])
def test_every_path_of_a_map_is_there(page: str) -> None:
    lines, room = map_of(page).splitlines(), ROOT
    assert lines
    for line in lines:
        paths = [word for word in re.findall(r"[\w.*/-]+", line) if re.search(r"/|[\w*]\.\w", word)]
        outermost = not line.startswith(" ")
        if outermost:
            assert list(ROOT.glob(paths[0])), paths[0]
            room = ROOT / paths[0]
        for path in paths:
            assert list(room.glob(path)) or (outermost and list(ROOT.glob(path))), path


def test_every_room_is_on_the_map() -> None:
    assert [name for name, room in ROOMS.items() if f"{room.relative_to(ROOT)}/" not in MAP] == []


def test_the_arrows_are_those_that_the_imports_are_held_to() -> None:
    carried = ",".join(name for name in SHARED if name != "__init__")
    above = [room for room, may in MAY.items() if may == {"fleet_control"}]

    assert f"`lambda_fn → fleet_control/{{{carried}}}`" in README
    assert [room for room in above if f"`{room} → fleet_control" not in README] == []


def test_every_module_of_the_bot_and_of_fleet_control_is_on_the_map() -> None:
    named = re.findall(r"[\w*]+\.py", MAP)
    modules = [
        *(ROOT / "clawbot").glob("[!_]*.py"),
        *(ROOT / "skills/fleet_control").glob("[!_]*.py"),
    ]

    assert [one.name for one in modules if not any(one.match(name) for name in named)] == []


def test_the_lines_of_a_plugin_are_those_of_the_whole_programs() -> None:
    (shown,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    discord, telegram = (line.split("  #")[0] for line in shown.splitlines())

    assert discord in program("discord.md")
    assert telegram in program("telegram.md").splitlines()[-2]
