"""The repository as a host needs it: what the flake names, and the flake itself."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from clawbot.provision.fault import ProvisionError
from fleet_control.archive import File
from fleet_control.error import RegistryError
from fleet_control.registry import Registry, parse
from fleet_control.seed import PATHS

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
    return _fact(checkout, "bootstrapBucket", "the bucket that bundles lie in")


def _fact(checkout: Path, name: str, what: str) -> str:
    try:
        value = json.loads(read(checkout, FACTS))[name]
    except (ValueError, KeyError, TypeError):
        value = None
    if not (isinstance(value, str) and value.strip()):
        raise ProvisionError(
            f"{checkout / FACTS}: `{name}` is not filled in: write there {what}, in quotes."
        )
    return value


def files(checkout: Path) -> dict[str, File]:
    """By path; ProvisionError where the flake could not be built from them."""
    found = {}
    for path in _paths(checkout):
        file = checkout / path
        if file.is_symlink():
            raise ProvisionError(f"{path} is a link; a host gets files only.")
        mode = file.stat().st_mode
        found[path] = File(file.read_bytes(), executable=bool(mode & 0o100))
    if "flake.nix" not in found:
        raise ProvisionError(f"{checkout.absolute()} is not a checkout: it has no flake.nix.")
    if "flake.lock" not in found:
        raise ProvisionError(
            "flake.lock is missing: every host would be built from another nixpkgs. Make it with "
            "`nix flake lock` and commit it."
        )
    _fact(checkout, "agentCommand", "what starts the agent")
    for id_, entry in registry(checkout).items():
        host = f"nix/hosts/{entry.host}.nix"
        if host not in found:
            raise ProvisionError(
                f"{host} is missing, which {id_} is built from: `clawbot instance add` writes it."
            )
    return found


def _paths(checkout: Path) -> Iterator[str]:
    """In a clone what git tracks, and the lock; elsewhere every file that is not hidden."""
    if (checkout / ".git").exists():
        # The lock is made at set-up, perhaps a moment before it is committed.
        listed = {*_tracked(checkout), "flake.lock"}
        yield from sorted(path for path in listed if (checkout / path).is_file())
        return
    for seed in PATHS:
        there = checkout / seed
        for path in sorted(there.rglob("*")) if there.is_dir() else [there]:
            inside = path.relative_to(checkout)
            if path.is_file() and not any(part.startswith((".", "__py")) for part in inside.parts):
                yield str(inside)


def _tracked(checkout: Path) -> list[str]:
    try:
        ended = subprocess.run(  # noqa: S603  (git, with words of ours)
            ["git", "-C", str(checkout), "ls-files", "-z", "--", *PATHS],  # noqa: S607  (whichever is installed)
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as error:
        said = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else error
        raise ProvisionError(f"git can't say what {checkout.absolute()} holds: {said}") from error
    return [path for path in ended.stdout.split("\0") if path]
