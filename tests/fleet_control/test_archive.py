"""An archive holds what was put in, and no more than a disk can take."""

import io
import random
import tarfile
import tracemalloc
from pathlib import Path

import pytest
import zstandard

from fleet_control.archive import ArchiveError, File, compress, tar, unpack


def test_a_large_file_comes_out_as_it_went_in() -> None:
    files = {"large": File(random.Random(1).randbytes(200_000), executable=True)}  # noqa: S311  (no secret)

    assert unpack(compress(tar(files))) == files


def test_code_is_packed_to_within_a_tenth_of_the_least_that_it_can_be() -> None:
    """And not to that: the last tenth costs ten times as long."""
    skills = Path(__file__).parents[2] / "skills"
    content = tar({one.name: File(one.read_bytes()) for one in skills.rglob("*.py")})
    least = len(zstandard.ZstdCompressor(level=19).compress(content))

    assert least < len(compress(content)) < 1.1 * least


def test_what_would_fill_a_disk_is_not_unpacked() -> None:
    bomb = zstandard.ZstdCompressor(level=1).compress(bytes((256 << 20) + 1))

    with pytest.raises(ArchiveError, match="holds more than 256 MiB"):
        unpack(bomb)


def test_of_a_path_that_leaves_its_folder_a_hundred_characters_are_told() -> None:
    with pytest.raises(ArchiveError, match=r"holds '\.\./x{97}', which is"):
        unpack(compress(tar({f"../{'x' * 150}": File(b"")})))


def zeros(mebibytes: int) -> bytes:
    """A frame of zstd that says of no size what it holds: each block is one byte, repeated."""
    block, last = (1 << 17) << 3 | 1 << 1, 1
    blocks = [block] * (8 * mebibytes - 1) + [block | last]
    return b"\x28\xb5\x2f\xfd\x00\x58" + b"".join(
        one.to_bytes(3, "little") + b"\x00" for one in blocks
    )


def peak(archive: bytes, said: str) -> float:
    """How much memory a refusal took at its most, in MiB."""
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError, match=said):
            unpack(archive)
        return tracemalloc.get_traced_memory()[1] / (1 << 20)
    finally:
        tracemalloc.stop()


def test_zeros_are_refused_before_the_memory_is_spent() -> None:
    assert peak(zeros(512), "holds more than 256 MiB") < 32


def test_what_says_its_size_is_refused_by_that() -> None:
    packer = zstandard.ZstdCompressor(level=1).compressobj(size=1 << 40)

    assert peak(packer.compress(bytes(1 << 20)) + packer.flush(1), "more than 256 MiB") < 1


def test_a_frame_that_wants_more_memory_than_an_archive_may_have_is_refused() -> None:
    wide = b"\x28\xb5\x2f\xfd\x00" + bytes([0b10100_000])  # a window of a gibibyte

    assert peak(wide + zeros(1)[6:], "The archive is damaged") < 2


def sparse(kind: str) -> bytes:
    """A file of ten tebibytes that its archive holds nothing of."""
    size = 10 << 40
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("large")
        member.pax_headers = {
            "1.0": {
                "GNU.sparse.major": "1",
                "GNU.sparse.minor": "0",
                "GNU.sparse.name": "large",
                "GNU.sparse.realsize": str(size),
            },
            "0.1": {"GNU.sparse.size": str(size), "GNU.sparse.map": f"{size},0"},
            "size": {"GNU.sparse.size": str(size)},
            "old": {},
        }[kind]
        member.size = 512 if kind == "1.0" else 0
        if kind == "old":
            member.type = tarfile.GNUTYPE_SPARSE
        archive.addfile(member, io.BytesIO(f"1\n{size}\n0\n".encode().ljust(512, b"\0")))
    return compress(buffer.getvalue())


@pytest.mark.parametrize("kind", ["1.0", "0.1", "size", "old"])
def test_a_sparse_file_is_refused_before_the_memory_is_spent(kind: str) -> None:
    assert peak(sparse(kind), "sparse|damaged") < 1


@pytest.mark.parametrize(("count", "refused"), [(10_000, False), (10_001, True)])
def test_an_archive_has_ten_thousand_members_at_most(count: int, refused: bool) -> None:
    packed = compress(tarfile.TarInfo("again").tobuf() * count + bytes(1024))

    if not refused:
        assert unpack(packed) == {"again": File(b"")}
    else:
        with pytest.raises(ArchiveError, match="more than 10000 files"):
            unpack(packed)


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("x" * 255, False),
        ("x" * 256, True),
        ("ü" * 127, False),
        ("ü" * 128, True),
        ("/".join(["x" * 255] * 4), False),
        ("/".join(["x" * 204] * 5), False),
        ("/".join(["x" * 205] * 5), True),
        ("a\nb", True),
        ("a\u202eb", True),
    ],
)
def test_a_name_is_one_that_a_disk_takes(name: str, refused: bool) -> None:
    packed = compress(tar({name: File(b"1")}))

    if not refused:
        assert unpack(packed) == {name: File(b"1")}
    else:
        with pytest.raises(ArchiveError, match="too long, or no line of printable"):
            unpack(packed)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
@pytest.mark.parametrize(("length", "refused"), [(1 << 14, False), ((1 << 14) + 1, True)])
def test_a_header_has_sixteen_kibibytes_at_most(kind: bytes, length: int, refused: bool) -> None:
    long = tarfile.TarInfo("long")
    long.type, long.size = kind, length
    content = long.tobuf(tarfile.GNU_FORMAT) + bytes(length)

    with pytest.raises(ArchiveError) as said:
        unpack(compress(content))
    assert ("a header of it is too long" in str(said.value)) == refused
