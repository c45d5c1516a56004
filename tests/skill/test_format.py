"""The skill as a host installs it, held to the format's own validator and to its rules."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet_control.command import ExitCode
from fleet_control.policy import Allowed, RefusalCode, judge
from lambda_fn.failure import Code as Failed
from tests.fleet_control.test_policy import BOT, TABLE, seen

SKILL = Path(__file__).parents[2] / "skills/fleet_control"
# As nix/modules/clawdinator.nix installs it.
INSTALLED = ("SKILL.md", "scripts/fleet-control.sh")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    folder = tmp_path / "fleet-control"
    for name in INSTALLED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SKILL / name, folder / name)
    return folder


def frontmatter(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "SKILL.md").read_text().split("---\n")[1])
    return found


def body(folder: Path) -> str:
    return (folder / "SKILL.md").read_text().split("---\n", 2)[2]


def test_the_formats_own_validator_finds_nothing(installed: Path) -> None:
    validator = pytest.importorskip("skills_ref.validator", reason="skills-ref is not installed")

    assert validator.validate(installed) == []


def test_its_name_is_its_folders(installed: Path) -> None:
    name = frontmatter(installed)["name"]

    assert name == installed.name
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert len(name) <= 64
    # `fleet` would be a native /fleet of every agent's own bot, beside clawbot's.
    assert name != "fleet"


def test_its_description_says_what_and_when_within_the_limits(installed: Path) -> None:
    fields = frontmatter(installed)

    assert 1 <= len(fields["description"]) <= 1024
    assert "Use when" in fields["description"]
    assert len(fields["compatibility"]) <= 500
    assert set(fields) <= {"name", "description", "license", "compatibility", "metadata"}
    assert len(body(installed).splitlines()) < 500


def as_openclaw_reads_it(text: str) -> dict[str, Any] | None:
    """`metadata.openclaw`, by what is known of OpenClaw's own reader; None where it finds none.

    It reads the front matter as YAML and each value to text: a mapping to its JSON. Where all that
    stands below a key is one line, it takes that line as it is. The text of `metadata` is then read
    as JSON5, of which the JSON that it made itself is a part, and `openclaw` is taken only where it
    is a mapping: a quoted text stays a text, and the skill then has no gate at all.
    """
    block = text[4 : text.index("\n---", 3)]
    metadata = yaml.safe_load(block)["metadata"]
    below = re.findall(r"(?m)^metadata:[ ]*\n((?:[ \t].*(?:\n|\Z))*)", block)[0].strip()
    try:
        read = json.loads(json.dumps(metadata) if "\n" in below else below)
    except ValueError:
        return None
    openclaw = read.get("openclaw")
    return openclaw if isinstance(openclaw, dict) else None


def test_openclaw_reads_its_gate(installed: Path) -> None:
    openclaw = as_openclaw_reads_it((installed / "SKILL.md").read_text())

    assert openclaw == {
        "emoji": "🦞",
        "os": ["linux"],
        "requires": {"bins": ["bash", "fleet-control"]},
    }


@pytest.mark.parametrize(
    "metadata",
    [
        """  openclaw: '{"requires": {"bins": ["bash"]}}'\n""",
        """  openclaw: '{"requires": {"bins": ["bash"]}}'\n  other: x\n""",
        """  openclaw: {requires: {bins: [bash]}}\n""",
    ],
)
def test_as_a_text_or_on_one_line_it_would_have_none(metadata: str) -> None:
    assert as_openclaw_reads_it(f"---\nname: x\nmetadata:\n{metadata}---\n") is None


def test_every_file_it_speaks_of_comes_along_and_can_be_run(installed: Path) -> None:
    named = set(re.findall(r"\{baseDir\}/(\S+)", body(installed)))

    assert named == {"scripts/fleet-control.sh"}
    for name in named:
        assert (installed / name).stat().st_mode & 0o111
    assert not [path for path in installed.rglob("*") if path.is_symlink()]


def test_its_exit_codes_and_refusals_are_the_commands_own(installed: Path) -> None:
    table = body(installed).split("## Exit codes")[1].split("##")[0]

    assert {int(code) for code in re.findall(r"^\| (\d) ", table, re.MULTILINE)} == set(ExitCode)
    refused = set(re.findall(r"`(\w+)`", body(installed).split("## What is refused")[1]))
    own = {"all", "retry_after", Failed.TABLE_UNREACHABLE}
    assert own < refused <= own | set(RefusalCode)


def test_it_tells_to_ask_again_after_those_refusals_that_pass(installed: Path) -> None:
    """They are those of asks that are allowed while nothing is the matter."""
    passing = {
        verdict
        for caller, target, version, _, verdict in TABLE
        if caller == BOT and isinstance(verdict, RefusalCode)
        if judge(caller, target, version, seen()) == Allowed()
    }
    told = re.findall(r"These pass: (.*?)\.", body(installed), re.DOTALL)[0]

    assert set(re.findall(r"`(\w+)`", told)) == passing
    assert "does not help" not in body(installed)


def test_a_host_installs_exactly_these_files() -> None:
    module = (SKILL.parents[1] / "nix/modules/clawdinator.nix").read_text()

    assert tuple(re.findall(r"skills/fleet_control/([\w./-]+)}", module)) == INSTALLED
