"""The revision of a deploy: which commit of the branch the hosts are built from."""

from dataclasses import dataclass

from fleet_control.policy import Code
from fleet_control.seed import PATHS
from workflows.fleet_deploy.git import Git, GitFailed
from workflows.fleet_deploy.stop import Stopped

SHORT = 7


@dataclass(frozen=True, slots=True)
class Revision:
    """
    Attributes:
        subject: the first line of its message.
        committed: Unix seconds.
    """

    commit: str
    subject: str
    committed: float

    @property
    def short(self) -> str:
        return self.commit[:SHORT]


def at(git: Git, commit: str) -> Revision:
    """The newest of the branch's own commits, at or before this one, that changes a seed.

    Own ones, as merged: a commit inside a merged branch was never reviewed by itself.
    """
    if git.says("rev-parse", "--is-shallow-repository").strip() != b"false":
        raise Stopped("Not set up", "This checkout lacks the branch's history: `fetch-depth: 0`.")
    form = "--format=%H%x00%ct%x00%s"
    said = git.says("log", "-1", "--first-parent", form, commit, "--", *PATHS)
    if not said:
        raise Stopped("No revision", f"Nothing that a host is built from is in {commit[:SHORT]}.")
    found, when, subject = said.decode(errors="replace").rstrip("\n").split("\0")
    return Revision(found, subject, float(when))


def named(git: Git, head: str, asked: str) -> str:
    """The commit that these digits name; Stopped where it is none of the branch's own up to `head`.

    A branch or a tag may have any name: what is found must begin with what was asked.
    """
    try:
        found = git.says("rev-parse", "--verify", "--quiet", f"{asked}^{{commit}}").decode().strip()
    except GitFailed as error:
        raise unknown(f"`{asked}` names no commit of this repository, or more than one") from error
    own = git.says("rev-list", "--first-parent", head).decode().split()
    if not found.startswith(asked) or found not in own:
        raise unknown(f"`{asked}` is none of the commits that were merged to the branch")
    return found


def unknown(why: str) -> Stopped:
    return Stopped(
        f"Refused ({Code.UNKNOWN_REVISION})", f"{why}. Leave it out for the branch as it is now."
    )
