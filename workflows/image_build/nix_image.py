"""The image as Nix builds it: a disk file, and what is said beside it."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from workflows.fleet_deploy.stop import Stopped

INFO = "nix-support/image-info.json"
BUILD = (
    "nix", "--extra-experimental-features", "nix-command flakes",
    "build", "--no-update-lock-file", "--print-build-logs", "--out-link",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NixImage:
    """A built image.

    Attributes:
        boot_mode: as EC2 has it.
    """

    disk: Path
    boot_mode: str
    system: str


def build(root: Path, nix: tuple[str, ...] = BUILD) -> NixImage:
    """Build the flake's image, its log in ours; Stopped where that fails."""
    if not (root / "flake.lock").exists():
        raise Stopped("No lock", "flake.lock is missing: make it with `nix flake lock`, commit it.")
    link = root / "result-image"
    # Its log is on standard error; on ours it comes in its turn, while it is taken for words.
    command = [*nix, str(link), ".#image"]
    ended = subprocess.run(command, cwd=root, stderr=subprocess.STDOUT, check=False)  # noqa: S603  (nix)
    if ended.returncode:
        raise Stopped("Build failed", "Nix could not build the image; its log is above.")
    return read(link)


def read(folder: Path) -> NixImage:
    """What a build left; Stopped where it is not as nixpkgs describes it."""
    try:
        info = json.loads((folder / INFO).read_bytes())
        disk = Path(info["disks"]["root"]["file"]) if "disks" in info else Path(info["file"])
        return NixImage(disk, info["boot_mode"], info["system"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Stopped("Build failed", f"{INFO} is not as nixpkgs writes it.") from error
