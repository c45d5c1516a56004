"""Which system a host becomes: the one it is, one that its image holds, or one that it builds.

The choice is tried in the tests, and so is what user data does with it, by programs that stand in
for Nix's. That an image's system is really entered has been seen on no machine yet.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from clawbot.provision.error import ProvisionError
from clawbot.provision.host_config import HostConfig
from clawbot.provision.installation import InstallRecord

# What the image says of itself (nix/modules/image.nix), and what the last switch left.
IMAGE = Path("var/lib/clawd/image.json")
INSTALLED = Path("var/lib/clawd/system.json")
KEEP = "keep"
BUILD = "build"


@dataclass(frozen=True, slots=True)
class SwitchedSystem:
    """The configuration by which a host switched to its present system."""

    instance: str
    host: str
    revision: str
    seed_sha256: str


@dataclass(frozen=True, slots=True)
class ImageSystems:
    """The systems that the image of this machine holds, as its `image.json` lists them.

    Attributes:
        systems: a store path for each host's name.
        why: why it holds none, where it does not.
    """

    revision: str = ""
    content_sha256: str = ""
    systems: Mapping[str, str] = field(default_factory=dict)
    why: str = "The image says nothing of the systems it holds."


@dataclass(frozen=True, slots=True)
class SystemChoice:
    """KEEP, BUILD, or the store path to enter; and why, in a sentence."""

    what: str
    why: str


def choose(
    root: Path, told: HostConfig, host: str, repository: InstallRecord | None
) -> SystemChoice:
    """What this host is to become; ProvisionError where it has nothing to be built from."""
    if _installed(root) == _as_installed(told, host):
        return SystemChoice(KEEP, f"It is {host} of {told.revision} already: nothing is changed.")
    if repository is None or (repository.revision, repository.sha256) != (
        told.revision,
        told.seed_sha256,
    ):
        raise ProvisionError(f"The repository of {told.revision} is not there to build from.")
    image = _image(root)
    system = image.systems.get(host, "")
    if (image.revision, image.content_sha256) != (told.revision, repository.content_sha256):
        why = image.why or f"The image is of {image.revision}, and this host is told otherwise."
        return SystemChoice(BUILD, why)
    if not (system.startswith("/nix/store/") and (root / system.lstrip("/")).exists()):
        return SystemChoice(BUILD, image.why or f"The image holds no system of {host}.")
    return SystemChoice(system, f"The image holds {host} of {told.revision}.")


def record(root: Path, told: HostConfig, host: str) -> None:
    """Note that the switch succeeded: the host stays so until it is told anything else."""
    path = root / INSTALLED
    new = path.with_name(f".{path.name}.new")
    with new.open("w") as file:
        json.dump(asdict(_as_installed(told, host)), file)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)


def _as_installed(told: HostConfig, host: str) -> SwitchedSystem:
    return SwitchedSystem(told.instance, host, told.revision, told.seed_sha256)


def _installed(root: Path) -> SwitchedSystem | None:
    try:
        return SwitchedSystem(**json.loads((root / INSTALLED).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _image(root: Path) -> ImageSystems:
    try:
        said = json.loads((root / IMAGE).read_bytes())
        systems = {str(host): str(path) for host, path in said["systems"].items()}
        revision, content = str(said["revision"]), str(said["contentSha256"])
        return ImageSystems(revision, content, systems, str(said["why"] or ""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ImageSystems()
