"""A seed: the repository at a revision, as far as a host needs it.

A revision is the newest commit, at or before a given one, that changes anything of `PATHS`.
"""

import re

# The flake, the modules, and the program it builds. What starts an image build is the same list,
# held by a test.
PATHS = ("flake.nix", "flake.lock", "pyproject.toml", "LICENSE", "nix", "clawbot", "skills")
# At the seed's root: the commit it was packed from, and a newline.
REVISION_FILE = "REVISION"
FOLDER = "seeds"
# The contract of boot that this repository's images speak, and the tag that says so: user data
# names a revision and the sum of its seed.
BOOT = "2"
BOOT_TAG = "boot"
# Which commit an image was built from.
COMMIT_TAG = "clawdinator-commit"
# What an object in S3 says of itself: the sum of the archive as it lies there; and of the tar in
# it, which another zstd would pack otherwise.
SHA256 = "sha256"
CONTENT_SHA256 = "content-sha256"

_COMMIT = re.compile(r"[0-9a-f]{40}")
_DIGITS = re.compile(r"[0-9a-f]{7,40}")
_SUM = re.compile(r"[0-9a-f]{64}")


def key(commit: str) -> str:
    """Where in the bootstrap bucket the seed of this commit lies."""
    return f"{FOLDER}/{commit}.tar.zst"


def is_commit(text: str) -> bool:
    return _COMMIT.fullmatch(text) is not None


def is_revision(text: str) -> bool:
    """Whether these may be the first digits of a commit."""
    return _DIGITS.fullmatch(text) is not None


def is_sum(text: str) -> bool:
    """Whether this is a SHA-256, in hex."""
    return _SUM.fullmatch(text) is not None
