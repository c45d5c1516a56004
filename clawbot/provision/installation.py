"""A folder on a host that changes as a whole: the old one or the new one, never a mixture."""

import json
import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from clawbot.provision.error import ProvisionError
from fleet_control.archive import File

RECORD = ".bundle.json"


@dataclass(frozen=True, slots=True)
class InstallRecord:
    """Where the folder's files came from; it lies among them and moves with them.

    Attributes:
        bucket, key: the object.
        instance, revision: what the host was told when it fetched it.
        sha256: of the archive.
        content_sha256: of the tar in it, which another zstd packs otherwise.
    """

    bucket: str
    key: str
    instance: str
    revision: str
    sha256: str
    content_sha256: str


@dataclass(frozen=True, slots=True)
class Modes:
    folder: int
    file: int
    program: int


PRIVATE = Modes(0o700, 0o400, 0o400)
PUBLIC = Modes(0o755, 0o644, 0o755)


def installed(folder: Path) -> InstallRecord | None:
    """The record of what is installed; None where nothing is, or nothing of ours."""
    try:
        return InstallRecord(**json.loads((folder / RECORD).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def recover(folder: Path) -> None:
    """Undo what a crash left: the folder that was moved aside comes back, half a new one goes."""
    if not folder.exists() and _aside(folder).exists():
        _aside(folder).rename(folder)
    _clear(_aside(folder))
    _clear(_staged(folder))


def remove(folder: Path) -> None:
    folder.rename(_aside(folder))
    _clear(_aside(folder))


def install(folder: Path, files: Mapping[str, File], record: InstallRecord, modes: Modes) -> None:
    """Put `files` in place of whatever `folder` holds; ProvisionError if the disk can't take it."""
    staged = _staged(folder)
    written = {**files, RECORD: File(json.dumps(asdict(record)).encode())}
    try:
        for path, file in written.items():
            _write(staged, Path(path), file, modes)
        _sync(staged)
        if folder.exists():
            folder.rename(_aside(folder))
        staged.rename(folder)
        _sync(folder.parent)
    except OSError as error:
        _clear(staged)
        raise ProvisionError(
            f"{folder} can't be written ({error.strerror}); what was there before still is. "
            "Make room, then start the service again."
        ) from error
    _clear(_aside(folder))


def own_parents(root: Path, folder: Path) -> None:
    """Make the folders between `root` and `folder`, none of which others may write in.

    Whoever runs this (root, on a host) owns them: root builds from what lies there.
    """
    for parent in reversed(folder.relative_to(root).parents[:-1]):
        path = root / parent
        path.mkdir(mode=0o755, exist_ok=True)
        if path.is_symlink():
            raise ProvisionError(f"{path} is a link; it must be a folder of root's. Remove it.")
        there = path.stat()
        # Untouched where all is well: the service sees /var itself read-only.
        if there.st_uid != os.geteuid():
            os.chown(path, os.geteuid(), os.getegid())
        if there.st_mode & 0o022:
            path.chmod(stat.S_IMODE(there.st_mode) & 0o755)


def _write(folder: Path, path: Path, file: File, modes: Modes) -> None:
    for parent in (*reversed(path.parents[:-1]), None):
        made = folder if parent is None else folder / parent
        made.mkdir(parents=True, exist_ok=True)
        made.chmod(modes.folder)
    # Owned by us alone from its first byte.
    descriptor = os.open(folder / path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as target:  # noqa: PTH123  (of a descriptor)
        target.write(file.data)
        target.flush()
        os.fsync(descriptor)
        os.fchmod(descriptor, modes.program if file.executable else modes.file)


def _sync(folder: Path) -> None:
    """Flush the folder to disk: a rename is only as durable as its folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _staged(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.new")


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _clear(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
