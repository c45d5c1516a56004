"""`.tar.zst` archives: the same bytes for the same files, and nothing but files when unpacked."""

import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import zstandard

from fleet_control.error import FleetError

_LEVEL = 19
# Far above any bundle or seed; a disk is not to be filled by a mistake.
LARGEST_BYTES = 1 << 28
# What tarfile lets through of headers that no tar writes.
_ODD_HEADERS = (ValueError, OverflowError, RecursionError)


class ArchiveError(FleetError):
    """These bytes are not such an archive."""


@dataclass(frozen=True, slots=True)
class File:
    """A file's content, and whether it is a program."""

    data: bytes = field(repr=False)
    executable: bool = False


def tar(files: Mapping[str, File]) -> bytes:
    """The files by path, with no trace of when, where and by whom it was done."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, file in sorted(files.items()):
            member = tarfile.TarInfo(path)
            member.size = len(file.data)
            member.mode = 0o755 if file.executable else 0o644
            archive.addfile(member, io.BytesIO(file.data))
    return buffer.getvalue()


def compress(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(data)


def unpack(archive: bytes) -> dict[str, File]:
    """The files of a `.tar.zst`, by path; ArchiveError for anything that is not just files."""
    try:
        with tarfile.open(fileobj=io.BytesIO(_decompress(archive)), mode="r:") as members:
            return dict(_files(members))
    except tarfile.TarError as error:
        raise ArchiveError(f"The archive is damaged ({error}).") from error
    except _ODD_HEADERS as error:
        # Its words would repeat what is in the archive.
        why = f"The archive is damaged ({type(error).__name__} in a header)."
        raise ArchiveError(why) from None


def _decompress(archive: bytes) -> bytes:
    reader = zstandard.ZstdDecompressor().decompressobj()
    parts, size = [], 0
    try:
        for start in range(0, len(archive), 1 << 16):
            parts.append(reader.decompress(archive[start : start + (1 << 16)]))
            size += len(parts[-1])
            if size > LARGEST_BYTES:
                raise ArchiveError(f"The archive holds more than {LARGEST_BYTES >> 20} MiB.")
            if reader.eof:
                break
    except zstandard.ZstdError as error:
        raise ArchiveError(f"The archive is damaged ({error}).") from error
    if not reader.eof:
        raise ArchiveError("The archive is truncated.")
    return b"".join(parts)


def _files(members: tarfile.TarFile) -> Iterator[tuple[str, File]]:
    for member in members:
        if not (_stays_inside(member.name) and _plain(member)):
            raise ArchiveError(
                f"The archive holds {member.name[:100]!r}, which is a link, a device, sparse or a "
                "path that leaves its folder; nothing of it was unpacked."
            )
        if content := members.extractfile(member):
            yield str(PurePosixPath(member.name)), File(content.read(), bool(member.mode & 0o100))


def _plain(member: tarfile.TarInfo) -> bool:
    """A sparse file may be far larger than its archive."""
    return member.isdir() or (member.isreg() and not member.issparse())


def _stays_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and path.parts != ()
