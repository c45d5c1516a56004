"""The package of the hosts: of which versions it is built, and that all who name them agree."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from requirements.compile import lowest
from tests.nix.evaluation import ROOT, Evaluated, evaluate, needs_nix

PYPROJECT = (ROOT / "pyproject.toml").read_text()
# What nixpkgs calls otherwise; and what no host needs: its secrets are agenix's to decrypt.
NIXPKGS = {"discord.py": "discordpy"}
NOT_ON_HOSTS = {"pyrage"}
BOUNDS = {name: version for name, _, version in (one.partition("==") for one in lowest(PYPROJECT))}
ON_HOSTS = {
    NIXPKGS.get(name, name): version for name, version in BOUNDS.items() if name not in NOT_ON_HOSTS
}


def package(tmp_path: Path, versions: dict[str, str]) -> Evaluated:
    file = str(ROOT / "tests/nix/package.nix")
    words = ("--argstr", "versions", json.dumps(versions))
    return evaluate(tmp_path, "--eval", "--strict", "--json", file, *words)


@needs_nix
def test_it_is_built_of_the_oldest_that_pyproject_allows_and_without_voice(tmp_path: Path) -> None:
    found = package(tmp_path, ON_HOSTS)

    assert found.value is not None, found.complaint
    assert {one["name"]: one["version"] for one in found.value} == ON_HOSTS
    assert [one for one in found.value if one.get("withVoice", True) is False] == [
        {"name": "discordpy", "version": ON_HOSTS["discordpy"], "withVoice": False}
    ]


@needs_nix
@pytest.mark.parametrize("name", ON_HOSTS)
def test_a_nixpkgs_with_an_older_one_builds_nothing_and_says_which(
    tmp_path: Path, name: str
) -> None:
    *begin, last = ON_HOSTS[name].split(".")
    older = ".".join((*begin, str(int(last) - 1), "99"))

    found = package(tmp_path, {**ON_HOSTS, name: older})

    assert found.value is None
    assert f"nixpkgs has {name} {older}, and clawbot is tested on {ON_HOSTS[name]} and newer" in (
        found.complaint
    )


def test_the_oldest_are_what_the_suite_runs_on() -> None:
    pinned = pins("oldest")

    assert {name: padded(pinned[name.replace(".", "-")]) for name in BOUNDS} == {
        name: padded(version) for name, version in BOUNDS.items()
    }


@pytest.mark.parametrize("file", ["dev", "demo", "workflow", "oldest"])
def test_what_is_installed_is_within_the_bounds(file: str) -> None:
    bounds = {name.replace(".", "-"): padded(version) for name, version in BOUNDS.items()}
    installed = {name: padded(has) for name, has in pins(file).items() if name in bounds}

    assert installed.keys() >= {"boto3", "pydantic", "zstandard"}
    assert {name for name, has in installed.items() if has < bounds[name]} == set()


def test_what_a_run_installs_has_the_same_bounds() -> None:
    group = tomllib.loads(PYPROJECT)["dependency-groups"]["workflow"]

    assert {name: BOUNDS[name] for name, _, _ in (one.partition(">=") for one in group)} == dict(
        one.split(">=") for one in group
    )


def test_no_registry_is_named_in_what_is_installed() -> None:
    for file in (ROOT / "requirements").glob("*.txt"):
        assert re.findall(r"(?m)^\s*-.*index|://|^\s*--find-links", file.read_text()) == [], file


def pins(file: str) -> dict[str, str]:
    text = (ROOT / f"requirements/{file}.txt").read_text()
    return dict(re.findall(r"(?m)^([a-z0-9-]+)(?:\[.*?\])?==([0-9.]*[0-9])", text))


def padded(version: str) -> tuple[int, ...]:
    """Of three numbers at least: 1.42 is 1.42.0."""
    numbers = [int(one) for one in version.split(".")]
    return (*numbers, *[0] * (3 - len(numbers)))
