"""What a checkout of the stand-in's repository knows of its past."""

import subprocess
from pathlib import Path

import pytest

from sandbox.repository import REGISTRY, Repository


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return tmp_path / "instances.json"


@pytest.fixture
def repository(tmp_path: Path, registry: Path) -> Repository:
    """Its registry was one, then gone, then two, then one again."""
    (tmp_path / "source").mkdir()
    made = Repository(tmp_path / "source", registry)
    for content in ("one", "", "two", "one"):
        if content:
            registry.write_text(content)
        else:
            registry.unlink()
        made.head()
        made.head()
    return made


def said(folder: Path, *argv: str) -> str:
    done = subprocess.run(  # noqa: S603  (a test's own words)
        ["/usr/bin/env", "git", *argv], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_with_its_history_a_checkout_says_what_the_registry_was(
    repository: Repository, tmp_path: Path
) -> None:
    folder = tmp_path / "checkout"
    repository.check_out("main", folder, with_history=True)

    commits = said(folder, "log", "--format=%H", "--", REGISTRY).split()
    assert len(commits) == 4
    assert said(folder, "show", f"HEAD:{REGISTRY}") == (folder / REGISTRY).read_text() == "one"
    assert said(folder, "show", f"HEAD~1:{REGISTRY}") == "two"
    assert said(folder, "ls-tree", "--name-only", "HEAD~2") == ""


def test_a_commits_history_ends_with_it(
    repository: Repository, registry: Path, tmp_path: Path
) -> None:
    commit = repository.head()
    registry.write_text("later")
    repository.head()

    repository.check_out(commit, tmp_path / "checkout", with_history=True)

    assert said(tmp_path / "checkout", "show", f"HEAD:{REGISTRY}") == "one"


def test_unasked_it_knows_of_none(repository: Repository, tmp_path: Path) -> None:
    repository.check_out("main", tmp_path / "checkout")

    assert not (tmp_path / "checkout" / ".git").exists()


def test_without_git_neither(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    repository.check_out("main", tmp_path / "checkout", with_history=True)

    assert (tmp_path / "checkout" / REGISTRY).read_text() == "one"
    assert not (tmp_path / "checkout" / ".git").exists()
