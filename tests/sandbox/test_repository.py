"""What a checkout of the stand-in's repository knows of its past."""

import subprocess
from pathlib import Path

import pytest

from fleet_control.seed import PATHS
from sandbox.repository import CHANGES, DOCUMENT, PAST, REGISTRY, Repository


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return tmp_path / "instances.json"


@pytest.fixture
def repository(tmp_path: Path, registry: Path) -> Repository:
    """Its registry was one, then gone, then two, then one again."""
    (tmp_path / "source").mkdir()
    made = Repository(tmp_path / "source", registry, tmp_path / "repository")
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
    assert said(folder, "ls-tree", "-r", "--name-only", "HEAD~2", REGISTRY) == ""


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


def test_it_begins_with_a_few_commits_that_change_what_hosts_are_built_from(
    repository: Repository, tmp_path: Path
) -> None:
    repository.check_out("main", tmp_path / "checkout", with_history=True)

    log = said(tmp_path / "checkout", "log", "--format=%s", "--", *PATHS)
    assert log.splitlines() == ["The registry"] * 4 + [subject for subject, _ in reversed(PAST)]


def test_each_start_of_the_same_checkout_has_the_same_commits(
    repository: Repository, tmp_path: Path
) -> None:
    """A script that comes through a pipe can name them."""
    again = Repository(tmp_path / "source", tmp_path / "none", tmp_path / "again")

    assert len(again.commits) == len(PAST)
    assert repository.commits[: len(PAST)] == again.commits
    repository.check_out("main", tmp_path / "checkout", with_history=True)
    log = said(tmp_path / "checkout", "log", "--format=%at %ct", again.head())
    assert log.splitlines() == [f"{when} {when}" for _, when in reversed(PAST)]


def test_a_merge_is_another_commit_and_is_known_by_its_name(
    repository: Repository, tmp_path: Path
) -> None:
    before = repository.head()
    commit = repository.merge("Hosts greet")

    assert [repository.find(one) for one in ("main", commit, before)] == [commit, commit, before]
    was = repository.read(CHANGES, before) or b""
    assert was.count(b"\n") == len(PAST)
    assert repository.read(CHANGES, commit) == was + b"Hosts greet\n"
    assert repository.check_out(before, tmp_path / "checkout") == before
    assert "Hosts greet" not in (tmp_path / "checkout" / CHANGES).read_text()


def test_a_merge_of_documents_is_a_commit_and_no_revision(
    repository: Repository, registry: Path
) -> None:
    revision = repository.merge("Hosts greet")
    commit = repository.merge("Hosts greet, it says", path=DOCUMENT)

    assert (repository.head(), repository.revision()) == (commit, revision)
    assert repository.read(DOCUMENT, commit) == b"Hosts greet, it says\n"
    registry.write_text("two")
    assert repository.revision() == repository.head() != commit


def test_what_is_merged_of_the_registry_is_told_to_the_people_at_their_desks(
    repository: Repository, registry: Path
) -> None:
    uploaded: list[bytes] = []
    repository.uploads = uploaded.append
    registry.write_text("five")

    repository.head()
    repository.head()

    assert uploaded == [b"five"]


def test_without_git_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "source").mkdir()

    with pytest.raises(RuntimeError, match="git is not installed"):
        Repository(tmp_path / "source", tmp_path / "registry", tmp_path / "repository")


def test_caches_and_environments_are_no_part_of_it(registry: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in (".git", ".venv", ".venv-demo", ".mypy_cache", "__pycache__", "build", "more"):
        (source / name).mkdir(parents=True)
        (source / name / "file").touch()
    made = Repository(source, registry, tmp_path / "repository")

    made.check_out(made.head(), tmp_path / "checkout", with_history=False)

    there = {path.name for path in (tmp_path / "checkout").iterdir()} - {".git"}
    assert there == {"flake.lock", "flake.nix", "more", "nix"}
