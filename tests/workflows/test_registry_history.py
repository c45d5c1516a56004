"""What the registry said before, read from a real repository."""

import shutil
from pathlib import Path

import pytest

from tests.workflows import git
from workflows.fleet_deploy.registry_history import LONGEST_ROLL_SECONDS, RegistryHistory

NOW = 1_790_000_000.0
DAY = 86400.0
NAME, OTHER = "clawdinator-2", "clawdinator-1"
ENVIRON = {"PATH": "/usr/bin:/bin"}


def entry(host: str) -> dict[str, str]:
    return {"host": host}


def said(folder: Path, launched: float, name: str = NAME) -> list[str] | None:
    """The hosts that this name has had since then."""
    told = RegistryHistory(folder, git.REGISTRY, ENVIRON).said(name, launched)
    return None if told is None else [one["host"] for one in told]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The entry said a, then b, then c; two days ago it left."""
    for days, hosts in ((40, "a"), (30, "b"), (10, "c")):
        git.commit(tmp_path, {NAME: entry(hosts), OTHER: entry("x")}, NOW - days * DAY)
    git.commit(tmp_path, {OTHER: entry("x")}, NOW - 2 * DAY)
    return tmp_path


def test_an_entry_that_left_is_told_by_what_it_last_said(checkout: Path) -> None:
    assert said(checkout, NOW - 5 * DAY) == ["c"]


def test_all_that_it_said_since_the_launch_is_told(checkout: Path) -> None:
    """The host has what was said when it was launched; its bundle may have come later."""
    assert said(checkout, NOW - 20 * DAY) == ["c", "b"]
    assert said(checkout, NOW - 35 * DAY) == ["c", "b", "a"]


def test_a_host_may_be_launched_a_while_after_its_run_read_the_registry(checkout: Path) -> None:
    merged = NOW - 10 * DAY

    assert said(checkout, merged + LONGEST_ROLL_SECONDS - 1) == ["c", "b"]
    assert said(checkout, merged + LONGEST_ROLL_SECONDS + 1) == ["c"]
    assert LONGEST_ROLL_SECONDS == DAY


def test_one_launched_before_any_word_of_it_is_told_by_all_of_them(checkout: Path) -> None:
    assert said(checkout, NOW - 400 * DAY) == ["c", "b", "a"]


def test_of_a_name_that_never_was_nothing_is_told(checkout: Path) -> None:
    assert said(checkout, NOW, "clawdinator-7") == []


def test_what_was_broken_then_is_passed_over(checkout: Path) -> None:
    git.commit(checkout, "{", NOW - DAY)
    git.commit(checkout, "[]", NOW - DAY / 2)
    git.commit(checkout, {NAME: "nonsense"}, NOW - DAY / 3)

    assert said(checkout, NOW - 5 * DAY) == ["c"]


def test_only_what_the_branch_itself_said_counts(checkout: Path) -> None:
    """A proposal said something else before it was merged."""
    git.run(checkout, "checkout", "--quiet", "-b", "proposal")
    git.commit(checkout, {NAME: entry("proposed")}, NOW - DAY)
    git.commit(checkout, {NAME: entry("d")}, NOW - DAY)
    git.run(checkout, "checkout", "--quiet", "main")
    git.run(checkout, "merge", "--quiet", "--no-ff", "-m", "Merge", "proposal", when=NOW)

    assert said(checkout, NOW - 5 * DAY) == ["d", "c"]


def test_a_checkout_of_one_commit_tells_of_none(checkout: Path, tmp_path: Path) -> None:
    """What its one commit says of a name may not be all that was said."""
    shallow = tmp_path / "shallow"
    git.run(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{checkout}", str(shallow))

    assert said(shallow, NOW - 5 * DAY) is None
    assert said(shallow, NOW - 5 * DAY, OTHER) is None


def test_without_git_nothing_is_told(tmp_path: Path, checkout: Path) -> None:
    assert said(tmp_path / "nowhere", NOW) is None
    history = RegistryHistory(checkout, git.REGISTRY, {"PATH": str(tmp_path / "empty")})
    assert history.said(NAME, NOW) is None


def test_where_one_commit_can_not_be_read_nothing_is_told(checkout: Path) -> None:
    """Else an old machine would be told by half of what was said of it."""
    blob = git.run(checkout, "rev-parse", f"HEAD~2:{git.REGISTRY}").strip()
    (checkout / ".git/objects" / blob[:2] / blob[2:]).unlink()

    assert said(checkout, NOW - 5 * DAY) == ["c"]
    assert said(checkout, NOW - 35 * DAY) is None


def test_a_commit_without_a_registry_is_passed_over(checkout: Path) -> None:
    git.run(checkout, "rm", "--quiet", git.REGISTRY)
    git.run(checkout, "commit", "--quiet", "-m", "None", when=NOW - DAY)
    git.commit(checkout, {OTHER: entry("y")}, NOW - DAY / 2)

    assert said(checkout, NOW - 5 * DAY) == ["c"]


def test_a_folder_inside_another_repository_is_none_of_it(checkout: Path) -> None:
    inner = checkout / "inner"
    (inner / "nix").mkdir(parents=True)
    shutil.copy(checkout / git.REGISTRY, inner / "nix")

    assert said(inner, NOW, OTHER) is None
