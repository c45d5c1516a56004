"""The README's set-up against the sandbox that rehearses it."""

import re
from pathlib import Path

import pytest

from clawbot.sandbox import account

README = (Path(__file__).parents[2] / "README.md").read_text()
HEADING = "## From an empty account"


def test_the_sandbox_sets_up_by_the_readmes_own_commands_in_its_order() -> None:
    if HEADING not in README:
        pytest.skip("the README has no set-up yet")
    section = README.partition(HEADING)[2].partition("\n## ")[0]
    lines = [line.strip() for line in re.findall(r"^ *(?:tofu|python3) .*$", section, re.MULTILINE)]

    assert [*account.STATE, *account.CONTROL, *account.FLEET] == lines
