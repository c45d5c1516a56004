"""The image as Nix evaluates it: what is on its disk, and of which seed it says to be."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from clawbot.provision import system_choice
from tests.nix.evaluation import ROOT, Evaluated, evaluate, needs_nix

REVISION, SUM = "0123456789" * 4, "0123456789abcdef" * 4
SYSTEMS = {"clawdinator-1": "/nix/store/one", "clawdinator-2": "/nix/store/two"}

pytestmark = needs_nix


def seed(folder: Path, **lines: str) -> Path:
    """A seed's folder as far as it is evaluated, and what evaluates it."""
    shutil.copytree(ROOT / "nix", folder / "nix")
    for file in (ROOT / "tests/nix").glob("*.nix"):
        (folder / "tests/nix").mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder / "tests/nix")
    for name, text in lines.items():
        (folder / name).write_text(text)
    return folder


def image(folder: Path, agent_command: str = "/bin/agent") -> Evaluated:
    words = ("--argstr", "agentCommand", agent_command)
    return evaluate(
        folder, "--eval", "--strict", "--json", str(folder / "tests/nix/image.nix"), *words
    )


def held(found: Evaluated) -> Any:
    """What the image says of itself on its disk."""
    assert found.value is not None, found.complaint
    (rule,) = found.value["rules"]
    told, _, text = rule.partition(" - /nix/store/image.json ")
    assert told == f"C /{system_choice.IMAGE} 0644 root root"
    return json.loads(text)


def test_an_image_of_a_seed_holds_every_hosts_system_and_names_the_seed(tmp_path: Path) -> None:
    folder = seed(tmp_path / "seed", REVISION=f"{REVISION}\n", SEED_SHA256=f"{SUM}\n")

    found = image(folder)

    said = {"revision": REVISION, "contentSha256": SUM, "systems": SYSTEMS, "why": None}
    assert held(found) == said
    assert found.value["system"]["configurationRevision"] == REVISION
    assert found.value["warnings"] == []
    assert found.value["swapDevices"][0]["size"] == 4096
    # By default 4096 and 1024.
    assert (found.value["diskSize"], found.value["memSize"]) == (8192, 4096)
    assert found.value["ofHosts"] == ["clawdinator-bootstrap", "clawdinator-repo-seed"]


def test_without_an_agent_it_holds_none_and_says_so(tmp_path: Path) -> None:
    folder = seed(tmp_path / "seed", REVISION=f"{REVISION}\n", SEED_SHA256=f"{SUM}\n")

    found = image(folder, agent_command="")

    said = held(found)
    assert said["systems"] == {}
    assert "`agentCommand` is not filled in, so this image holds no host's system" in said["why"]
    assert found.value["warnings"] == [said["why"]]


@pytest.mark.parametrize("lines", [{}, {"REVISION": f"{REVISION}\n"}, {"SEED_SHA256": f"{SUM}\n"}])
def test_made_of_a_checkout_it_holds_none(tmp_path: Path, lines: dict[str, str]) -> None:
    found = image(seed(tmp_path / "seed", **lines))

    assert held(found)["systems"] == {}
    assert "This is no seed's folder" in held(found)["why"]


@pytest.mark.parametrize("name", ["REVISION", "SEED_SHA256"])
@pytest.mark.parametrize("text", ["", "main\n", REVISION, f"{REVISION[:-1]}\n", f" {REVISION}\n"])
def test_a_file_that_names_no_seed_stops_the_evaluation(
    tmp_path: Path, name: str, text: str
) -> None:
    found = image(seed(tmp_path / "seed", **{name: text}))

    assert found.value is None
    assert f"{name} must be" in found.complaint


def test_a_host_of_a_seed_says_its_revision(tmp_path: Path) -> None:
    folder = seed(tmp_path / "seed", REVISION=f"{REVISION}\n")
    words = ("--argstr", "host", "clawdinator-1")

    found = evaluate(
        tmp_path, "--eval", "--strict", "--json", str(folder / "tests/nix/host.nix"), *words
    )

    assert found.value is not None, found.complaint
    assert found.value["system"]["configurationRevision"] == REVISION
