"""`.tar.zst` archives: the same bytes for the same files, and nothing but files when unpacked."""

import io
import os
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Self

import zstandard

from fleet_control.error import FleetError

# A tenth more than the most that it can save, for a tenth of that one's time.
_LEVEL = 12
# Far above any bundle or seed; a disk is not to be filled by a mistake.
LARGEST_BYTES = 1 << 28
MOST_MEMBERS = 10_000
# What Linux takes for a name, and a tenth of what it takes for a path; in bytes.
LONGEST_NAME, LONGEST_PATH = 255, 1024
# A header that only tells of the member after it: its name, and what our own tar adds.
_LONGEST_HEADER = 1 << 14
# Of zstd 4 bytes can be 128 KiB: so many at a time are 8 MiB at the most.
_BYTES_AT_A_TIME = 1 << 8
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
        content = _decompress(archive)
        with tarfile.open(fileobj=content, mode="r:", tarinfo=_Member) as members:
            return dict(_files(members))
    except tarfile.TarError as error:
        raise ArchiveError(f"The archive is damaged ({error}).") from error
    except _ODD_HEADERS as error:
        # Its words would repeat what is in the archive.
        why = f"The archive is damaged ({type(error).__name__} in a header)."
        raise ArchiveError(why) from None


def _decompress(archive: bytes) -> io.BytesIO:
    """What the archive holds; looked through first, so that nothing of what is too much is kept."""
    try:
        _refuse_above_limit(zstandard.frame_content_size(archive))
        size = 0
        for part in _parts(archive):
            size += len(part)
            _refuse_above_limit(size)
        content = io.BytesIO()
        content.writelines(_parts(archive))
    except zstandard.ZstdError as error:
        raise ArchiveError(f"The archive is damaged ({error}).") from error
    content.seek(0)
    return content


def _refuse_above_limit(size: int) -> None:
    if size > LARGEST_BYTES:
        raise ArchiveError(f"The archive holds more than {LARGEST_BYTES >> 20} MiB.")


def _parts(archive: bytes) -> Iterator[bytes]:
    reader = zstandard.ZstdDecompressor().decompressobj()
    for start in range(0, len(archive), _BYTES_AT_A_TIME):
        yield reader.decompress(archive[start : start + _BYTES_AT_A_TIME])
        if reader.eof:
            return
    raise ArchiveError("The archive is truncated.")


class _Member(tarfile.TarInfo):
    """A member whose header was looked at before anything of it is read."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        member = super().frombuf(buf, encoding, errors)
        if member.type not in tarfile.REGULAR_TYPES and member.size > _LONGEST_HEADER:
            raise ArchiveError("The archive is damaged (a header of it is too long).")
        return member


def _files(members: tarfile.TarFile) -> Iterator[tuple[str, File]]:
    for number, member in enumerate(members, start=1):
        if number > MOST_MEMBERS:
            raise ArchiveError(f"The archive holds more than {MOST_MEMBERS} files.")
        if not (_stays_inside(member.name) and _plain(member)):
            raise ArchiveError(
                f"The archive holds {member.name[:100]!r}, which is a link, a device, sparse or a "
                "path that leaves its folder; nothing of it was unpacked."
            )
        if not _a_disk_takes(member.name):
            raise ArchiveError(
                f"The archive holds {member.name[:100]!r}, which is too long, or no line of "
                "printable characters; nothing of it was unpacked."
            )
        if content := members.extractfile(member):
            yield str(PurePosixPath(member.name)), File(content.read(), bool(member.mode & 0o100))


def _plain(member: tarfile.TarInfo) -> bool:
    """A sparse file may be far larger than its archive."""
    return member.isdir() or (member.isreg() and not member.issparse())


def _a_disk_takes(name: str) -> bool:
    if not name.isprintable() or len(os.fsencode(name)) > LONGEST_PATH:
        return False
    return all(len(os.fsencode(part)) <= LONGEST_NAME for part in PurePosixPath(name).parts)


def _stays_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and path.parts != ()
