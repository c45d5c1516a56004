"""An operator's checkout of the repository: read its registry, its facts, its files."""

import json
import subprocess
from pathlib import Path

from clawbot.provision.error import ProvisionError
from fleet_control.error import RegistryError
from fleet_control.registry import Registry, parse

REGISTRY = Path("nix/instances.json")
FACTS = Path("nix/facts.json")


def read(checkout: Path, path: Path) -> bytes:
    try:
        return (checkout / path).read_bytes()
    except OSError as error:
        raise ProvisionError(
            f"{checkout / path} can't be read ({error.strerror}). Type this in a checkout, or name "
            "one, as in `clawbot instance --checkout FOLDER add <id>`."
        ) from error


def registry(checkout: Path) -> Registry:
    return valid(read(checkout, REGISTRY))


def valid(text: str | bytes) -> Registry:
    try:
        return parse(text)
    except RegistryError as error:
        raise ProvisionError(*error.problems) from error


def bucket(checkout: Path) -> str:
    """The bootstrap bucket's name, which hosts are built with."""
    try:
        value = json.loads(read(checkout, FACTS))["bootstrapBucket"]
    except (ValueError, KeyError, TypeError):
        value = None
    if not (isinstance(value, str) and value.strip()):
        raise ProvisionError(
            f"{checkout / FACTS}: `bootstrapBucket` is not filled in: write there the bucket that "
            "bundles lie in, in quotes."
        )
    return value


def files(checkout: Path) -> dict[str, bytes]:
    """The repository's files by path: those git tracks, or without git all that are not hidden."""
    return {
        path: (checkout / path).read_bytes()
        for path in (_tracked(checkout) if (checkout / ".git").exists() else _walked(checkout))
        if (checkout / path).is_file()
    }


def _walked(checkout: Path) -> list[str]:
    found = (path.relative_to(checkout) for path in sorted(checkout.rglob("*")))
    return [str(path) for path in found if not any(part.startswith(".") for part in path.parts)]


def _tracked(checkout: Path) -> list[str]:
    try:
        ended = subprocess.run(  # noqa: S603  (git, with words of ours)
            ["git", "-C", str(checkout), "ls-files", "-z"],  # noqa: S607  (whichever is installed)
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as error:
        said = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else error
        raise ProvisionError(f"git can't say what {checkout.absolute()} holds: {said}") from error
    return [path for path in ended.stdout.split("\0") if path]
