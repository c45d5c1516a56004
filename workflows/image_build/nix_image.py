"""The image as Nix builds it from a seed: a disk file and its description.

Nix itself is played in the tests: no image has been built by this code yet.
"""

import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from fleet_control import archive
from fleet_control.error import RegistryError
from fleet_control.registry import parse
from fleet_control.seed_check import FACTS, REGISTRY
from workflows.fleet_deploy.seed_upload import Seed
from workflows.fleet_deploy.stopped import Stopped

INFO = "nix-support/image-info.json"
# nix/seed.nix reads it: the SHA-256 of the tar, which is the same whatever zstd packs it.
SUM_FILE = "SEED_SHA256"
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


def lay_out(seed: Seed, folder: Path) -> None:
    """The seed as a host unpacks it, and the sum by which a host knows the image that is of it."""
    packed, content = seed.packed()
    for name, file in archive.unpack(packed).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
        path.chmod(0o755 if file.executable else 0o644)
    (folder / SUM_FILE).write_text(f"{hashlib.sha256(content).hexdigest()}\n")


def without_systems(seed: Seed) -> bool:
    """Whether the image can hold no host's system, since nothing says what starts the agent."""
    facts = seed.files.get(FACTS)
    return facts is None or not json.loads(facts.data).get("agentCommand")


def build(seed: Seed, folder: Path, nix: tuple[str, ...] = BUILD) -> NixImage:
    """Build the seed's image in an empty folder, its log in ours; Stopped where that fails."""
    if "flake.lock" not in seed.files:
        raise Stopped("No lock", "flake.lock is missing: make it with `nix flake lock`, commit it.")
    listed = seed.files.get(REGISTRY)
    try:  # Nix itself holds it to no rule.
        parse(listed.data if listed else b"")
    except RegistryError as error:
        raise Stopped("Bad registry", str(error)) from error
    source, link = folder / "seed", folder / "image"
    lay_out(seed, source)
    # Its log is on standard error; on ours it comes in its turn, while it is taken for words.
    # `path:`, or a folder above that is a clone would be taken for the flake's.
    command = [*nix, str(link), f"path:{source}#image"]
    ended = subprocess.run(command, cwd=folder, stderr=subprocess.STDOUT, check=False)  # noqa: S603  (nix)
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
