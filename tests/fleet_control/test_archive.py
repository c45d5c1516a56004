"""An archive holds what was put in, and no more than a disk can take."""

import random

import pytest
import zstandard

from fleet_control.archive import ArchiveError, File, compress, tar, unpack


def test_a_large_file_comes_out_as_it_went_in() -> None:
    files = {"large": File(random.Random(1).randbytes(200_000), executable=True)}  # noqa: S311  (no secret)

    assert unpack(compress(tar(files))) == files


def test_what_would_fill_a_disk_is_not_unpacked() -> None:
    bomb = zstandard.ZstdCompressor(level=1).compress(bytes((256 << 20) + 1))

    with pytest.raises(ArchiveError, match="holds more than 256 MiB"):
        unpack(bomb)


def test_of_a_path_that_leaves_its_folder_a_hundred_characters_are_told() -> None:
    with pytest.raises(ArchiveError, match=r"holds '\.\./x{97}', which is"):
        unpack(compress(tar({f"../{'x' * 150}": File(b"")})))
