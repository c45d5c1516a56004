"""Which commit and which image the hosts of a deploy are made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from fleet_control.host import Image
from fleet_control.ledger import Entry
from fleet_control.policy import RefusalCode
from fleet_control.seed import BOOT, PATHS, is_commit
from workflows.fleet_deploy.git import Git, GitFailed
from workflows.fleet_deploy.stopped import Stopped

SHORT = 7


@dataclass(frozen=True, slots=True)
class DeployedRevision:
    """A commit that hosts are built from.

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


@dataclass(frozen=True, slots=True)
class ImageAndRevision:
    """What the hosts of one run are made of."""

    image: Image
    revision: DeployedRevision


def settle(git: Git, head: str, asked: Entry, images: Sequence[Image]) -> ImageAndRevision:
    """The image and revision that this ask means. `images` are ours, the newest first; the policy
    has judged the named one.

    Image and configuration are of one time: of an image that was named, the revision that it was
    built from; of a commit, its revision, on the image built from that where there is one. Else the
    branch as it is, on the newest.
    """
    if not images:
        none = "There is no available image of ours tagged clawdinator=true. Build one first."
        raise Stopped("No image", none)
    if asked.ami_override:
        image = next(one for one in images if one.id == asked.ami_override)
        return ImageAndRevision(_bootable(image), at(git, _built_from(git, head, image)))
    found = at(git, named(git, head, asked.revision) if asked.revision else head)
    own = [one for one in images if (one.commit, one.boot) == (found.commit, BOOT)]
    return ImageAndRevision(_bootable((own if asked.revision and own else images)[0]), found)


def settle_again(git: Git, head: str, image: Image, commit: str) -> ImageAndRevision:
    """What hosts were made of before: this image, and the commit of which the first digits are
    told; or a whole one, which the image was built from."""
    if is_commit(commit):
        return ImageAndRevision(_bootable(image), at(git, named(git, head, commit)))
    return ImageAndRevision(_bootable(image), _told(git, named(git, head, commit)))


def _bootable(image: Image) -> Image:
    """Stopped where a host on it could not become what it is told."""
    if image.boot == BOOT:
        return image
    other = f"of {image.boot}" if image.boot else "of an earlier version"
    raise Stopped(
        f"Refused ({RefusalCode.UNKNOWN_IMAGE})",
        f"{image.id} speaks the contract of boot {other} and not of {BOOT}: a host on it could not "
        "read its seed. Start `image-build` for a new image, or name one that can.",
    )


def _built_from(git: Git, head: str, image: Image) -> str:
    if not is_commit(image.commit):
        raise unknown(f"{image.id} does not say which commit it was built from")
    return named(git, head, image.commit)


def at(git: Git, commit: str) -> DeployedRevision:
    """The newest of the branch's own commits, at or before this one, that changes a seed.

    Own ones, as merged: a commit inside a merged branch was never reviewed by itself.
    """
    if git.says("rev-parse", "--is-shallow-repository").strip() != b"false":
        raise Stopped("Not set up", "This checkout lacks the branch's history: `fetch-depth: 0`.")
    return _told(git, commit, "--", *PATHS)


def _told(git: Git, commit: str, *only: str) -> DeployedRevision:
    """This commit; or the newest of the branch's own, at or before it, that changes `only` what
    these options say."""
    said = git.says("log", "-1", "--first-parent", "--format=%H%x00%ct%x00%s", commit, *only)
    if not said:
        raise Stopped("No revision", f"Nothing that a host is built from is in {commit[:SHORT]}.")
    found, when, subject = said.decode(errors="replace").rstrip("\n").split("\0")
    return DeployedRevision(found, subject, float(when))


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
        f"Refused ({RefusalCode.UNKNOWN_REVISION})",
        f"{why}. Leave it out for the branch as it is now.",
    )
