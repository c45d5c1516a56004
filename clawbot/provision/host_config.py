"""A host's configuration: the files that its user data wrote below /etc/clawdinator."""

from dataclasses import dataclass
from pathlib import Path

from clawbot.provision.error import ProvisionError
from fleet_control import seed

_FOLDER = Path("etc/clawdinator")
_NAMES = ("instance", "region", "bootstrap-prefix", "revision", "seed-sha256")


@dataclass(frozen=True, slots=True)
class HostConfig:
    """Which instance this host is, and which revision it is built from.

    Attributes:
        revision: the commit of its seed.
        seed_sha256: of the seed's archive.
    """

    instance: str
    region: str
    bootstrap_prefix: str
    revision: str
    seed_sha256: str


def read(root: Path) -> HostConfig:
    """Read the files; ProvisionError names each that is missing, or is not what it must be."""
    found = {name: _line(root / _FOLDER / name) for name in _NAMES}
    problems = [
        f"{root / _FOLDER / name} is missing or empty: user data writes it at boot."
        for name, text in found.items()
        if not text
    ]
    forms = {
        "revision": (seed.is_commit, "a commit, 40 hex digits"),
        "seed-sha256": (seed.is_sum, "a SHA-256 in hex"),
    }
    problems += [
        f"{root / _FOLDER / name} must be {form}."
        for name, (holds, form) in forms.items()
        if found[name] and not holds(found[name])
    ]
    if problems:
        raise ProvisionError(*problems)
    return HostConfig(*(found[name] for name in _NAMES))


def _line(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
