"""Which commit a deploy is of, in a real repository."""

from pathlib import Path

import pytest

from tests.workflows import git
from workflows.fleet_deploy import revision
from workflows.fleet_deploy.git import Git
from workflows.fleet_deploy.stopped import Stopped

NOW = 1_790_000_000.0


def changes(folder: Path, path: str, subject: str) -> str:
    """The commit that changes this file."""
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{subject}\n")
    git.run(folder, "add", path)
    git.run(folder, "commit", "--quiet", "-m", f"{subject}\n\nAnd why.", when=NOW)
    return head(folder)


def head(folder: Path) -> str:
    return git.run(folder, "rev-parse", "HEAD").strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git.run(tmp_path, "init", "--quiet", "--initial-branch=main")
    return tmp_path


def asked(folder: Path) -> Git:
    return Git(folder, {"PATH": "/usr/bin:/bin"})


def test_a_revision_is_the_newest_commit_that_changes_what_a_host_is_built_from(
    repository: Path,
) -> None:
    old = changes(repository, "nix/one.nix", "One")
    new = changes(repository, "skills/two.py", "Two")
    docs = changes(repository, "docs/runbook.md", "Words")

    assert revision.at(asked(repository), docs) == revision.DeployedRevision(new, "Two", NOW)
    assert revision.at(asked(repository), old).commit == old
    assert revision.at(asked(repository), docs).short == new[:7]


def test_a_branch_that_was_merged_is_the_merge(repository: Path) -> None:
    changes(repository, "nix/one.nix", "One")
    git.run(repository, "checkout", "--quiet", "-b", "side")
    inside = changes(repository, "nix/side.nix", "Never reviewed by itself")
    changes(repository, "nix/side.nix", "What was reviewed")
    git.run(repository, "checkout", "--quiet", "main")
    git.run(repository, "merge", "--quiet", "--no-ff", "-m", "Merge side", "side")
    merge = head(repository)
    docs = changes(repository, "README.md", "Words")

    assert revision.at(asked(repository), docs).commit == merge
    assert revision.named(asked(repository), docs, merge[:7]) == merge
    with pytest.raises(Stopped, match="none of the commits that were merged"):
        revision.named(asked(repository), docs, inside)


@pytest.mark.parametrize("digits", [7, 12, 40])
def test_a_commit_is_named_by_its_first_digits(repository: Path, digits: int) -> None:
    old = changes(repository, "nix/one.nix", "One")
    new = changes(repository, "nix/one.nix", "Two")

    assert revision.named(asked(repository), new, old[:digits]) == old


def test_what_the_branch_does_not_have_is_refused(repository: Path) -> None:
    changes(repository, "nix/one.nix", "One")
    git.run(repository, "checkout", "--quiet", "-b", "later")
    later = changes(repository, "nix/one.nix", "Not merged yet")
    git.run(repository, "checkout", "--quiet", "main")
    git.run(repository, "tag", "abcdef1")

    for said in (later, "0" * 40, "abcdef1"):
        with pytest.raises(Stopped) as stopped:
            revision.named(asked(repository), head(repository), said)
        assert stopped.value.title == "Refused (unknown_revision)"
        assert said in str(stopped.value)


def test_what_no_host_is_built_from_has_no_revision(repository: Path) -> None:
    docs = changes(repository, "docs/runbook.md", "Words")

    with pytest.raises(Stopped, match="Nothing that a host is built from"):
        revision.at(asked(repository), docs)


def test_half_a_history_tells_no_revision(repository: Path, tmp_path: Path) -> None:
    changes(repository, "nix/one.nix", "One")
    changes(repository, "docs/runbook.md", "Words")
    shallow = tmp_path / "shallow"
    git.run(repository, "clone", "--quiet", "--depth=1", repository.as_uri(), str(shallow))

    with pytest.raises(Stopped, match="lacks the branch's history"):
        revision.at(asked(shallow), "HEAD")


def test_no_folder_above_is_taken_for_the_checkout(repository: Path) -> None:
    changes(repository, "nix/one.nix", "One")
    below = repository / "nix"

    with pytest.raises(Stopped, match="`git rev-parse` failed"):
        revision.at(asked(below), "HEAD")
