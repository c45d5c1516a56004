"""The page of the set-up against the sandbox that rehearses it."""

import re
from pathlib import Path

from sandbox import tofu_commands
from tests.static.configuration import VARIABLES

ROOT = Path(__file__).parents[2]
WORKFLOWS = "\n".join(file.read_text() for file in (ROOT / ".github/workflows").glob("*.yml"))
PAGE = (ROOT / "docs/set-up.md").read_text()


def test_the_sandbox_sets_up_by_the_page_s_own_commands_in_its_order() -> None:
    lines = [line.strip() for line in re.findall(r"^ *(?:tofu|python3) .*$", PAGE, re.MULTILINE)]

    # The hosts are a run's to make; the sandbox makes its first ones faster.
    assert [*tofu_commands.STATE, *tofu_commands.CONTROL] == lines


def test_it_sets_every_variable_that_a_workflow_reads_and_makes_its_environments() -> None:
    read = set(re.findall(r"\bvars\.(\w+)", WORKFLOWS))
    environments = set(re.findall(r"^ +environment: (\w+)$", WORKFLOWS, re.MULTILINE))

    assert set(re.findall(r"gh variable set (\w+)", PAGE)) == read
    assert f"for environment in {' '.join(sorted(environments))}; do" in PAGE


def test_it_exports_every_variable_that_the_roots_need_and_its_commands_use() -> None:
    # What tofu/fleet needs besides is the run's to say.
    of_the_run = ("ami", "control_api_url", "revision", "seed_sha256")
    needed = {f"TF_VAR_{name}" for name in VARIABLES if name not in of_the_run}
    used = set(re.findall(r"\$(TF_VAR_\w+)", PAGE))
    exported = " ".join(re.findall(r"\bexport .*", PAGE))

    assert needed | used <= set(re.findall(r"(?<!\$)\bTF_VAR_\w+", exported))
