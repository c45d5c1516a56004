"""The seed of a commit: what it holds, and what of it lies in S3."""

import hashlib
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
import zstandard
from botocore.config import Config

from fleet_control import archive
from fleet_control.archive import File
from fleet_control.seed import PATHS, key
from tests.http_server import listening
from tests.workflows import git
from tests.workflows.conftest import KEYS
from tests.workflows.plans import REGION
from workflows.fleet_deploy import seed_upload
from workflows.fleet_deploy.git import Git
from workflows.fleet_deploy.stopped import Stopped

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

BUCKET = "seeds-of-a-test"


def client_of(url: str) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def s3(moto: str) -> Iterator["S3Client"]:
    client = client_of(moto)
    client.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    yield client
    for one in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=one["Key"])
    client.delete_bucket(Bucket=BUCKET)
    client.close()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A commit with a file of each folder, and what no host needs beside them."""
    git.run(tmp_path, "init", "--quiet", "--initial-branch=main")
    for path in ("flake.nix", "nix/two words.nix", "clawbot/bot.py", "docs/page.md", "nixe"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(f"{path}\n\n\0 of it".encode())
    (tmp_path / "skills").mkdir()
    (tmp_path / "skills/program.sh").write_text("#!/bin/sh\n")
    (tmp_path / "skills/program.sh").chmod(0o755)
    (tmp_path / "nix/empty").touch()
    git.run(tmp_path, "add", ".")
    git.run(tmp_path, "commit", "--quiet", "-m", "All")
    return tmp_path


def commit(checkout: Path) -> str:
    return git.run(checkout, "rev-parse", "HEAD").strip()


def seed(checkout: Path) -> seed_upload.Seed:
    return seed_upload.of(Git(checkout, {"PATH": "/usr/bin:/bin"}), commit(checkout))


def lies_there(s3: "S3Client", checkout: Path) -> bytes:
    return s3.get_object(Bucket=BUCKET, Key=key(commit(checkout)))["Body"].read()


def test_a_seed_is_what_git_holds_and_the_name_of_the_commit(checkout: Path) -> None:
    (checkout / "nix/left over").write_text("not committed")
    (checkout / "flake.nix").write_text("changed, and not committed")

    assert seed(checkout).files == {
        **{
            path: File(f"{path}\n\n\0 of it".encode())
            for path in ("flake.nix", "nix/two words.nix", "clawbot/bot.py")
        },
        "nix/empty": File(b""),
        "skills/program.sh": File(b"#!/bin/sh\n", executable=True),
        "REVISION": File(f"{commit(checkout)}\n".encode()),
    }


def test_every_folder_of_a_seed_is_there() -> None:
    root = Path(__file__).parents[2]

    assert [path for path in PATHS if not (root / path).exists()] == ["flake.lock"]


@pytest.mark.parametrize("path", ["nix/link", "skills/link"])
def test_a_link_is_in_no_seed(checkout: Path, path: str) -> None:
    (checkout / path).symlink_to("/etc/passwd")
    git.run(checkout, "add", ".")
    git.run(checkout, "commit", "--quiet", "-m", "A link")

    with pytest.raises(Stopped, match=f"{path} is a link"):
        seed(checkout)


def test_a_seed_is_put_once_and_taken_as_it_lies(s3: "S3Client", checkout: Path) -> None:
    first = seed_upload.put(s3, BUCKET, seed(checkout))
    data = lies_there(s3, checkout)
    there = s3.head_object(Bucket=BUCKET, Key=key(commit(checkout)))

    assert archive.unpack(data) == seed(checkout).files
    assert first == hashlib.sha256(data).hexdigest() == there["Metadata"]["sha256"]
    content = hashlib.sha256(archive.tar(seed(checkout).files)).hexdigest()
    assert there["Metadata"]["content-sha256"] == content
    assert seed_upload.put(s3, BUCKET, seed(checkout)) == first


def test_the_same_files_that_another_zstd_packed_are_taken_as_they_lie(
    s3: "S3Client", checkout: Path
) -> None:
    packed, content = seed(checkout).packed()
    other = zstandard.ZstdCompressor(level=1).compress(content)
    assert other != packed
    s3.put_object(Bucket=BUCKET, Key=key(commit(checkout)), Body=other)

    assert seed_upload.put(s3, BUCKET, seed(checkout)) == hashlib.sha256(other).hexdigest()
    assert lies_there(s3, checkout) == other


def changed(files: dict[str, File]) -> bytes:
    return archive.compress(archive.tar(files))


def odd(headers: dict[str, str], times: int = 1) -> bytes:
    """An archive of one file, with these headers before it so many times."""
    info = tarfile.TarInfo("flake.nix")
    info.size = tarfile.BLOCKSIZE
    info.pax_headers = headers
    head = info.tobuf(tarfile.PAX_FORMAT)
    extended = head[: -tarfile.BLOCKSIZE]
    return archive.compress(extended * times + head + bytes(3 * tarfile.BLOCKSIZE))


OTHERS = {
    "of other files": lambda files: changed({**files, "nix/evil.nix": File(b"evil")}),
    "without one": lambda files: changed({k: v for k, v in files.items() if k != "flake.nix"}),
    "of another commit": lambda files: changed({**files, "REVISION": File(b"0" * 40 + b"\n")}),
    "with a program more": lambda files: changed({**files, "nix/empty": File(b"", True)}),
    "cut short": lambda files: changed(files)[:-20],
    "nothing": lambda _: b"",
    "with a sparse file of words": lambda _: odd({"GNU.sparse.map": "a,b"}),
    "with a size that is no number": lambda _: odd({"size": "9" * 400}),
    "with headers without end": lambda _: odd({"comment": "x"}, 5000),
    "with a file of many gigabytes": lambda _: odd(
        {"GNU.sparse.size": "99999999999999", "GNU.sparse.map": "0,3,0,0"}
    ),
    "no archive": lambda _: b"<html>",
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_what_lies_there_and_is_not_the_commits_stops_the_run(
    s3: "S3Client", checkout: Path, other: object
) -> None:
    assert callable(other)
    squatted = other(dict(seed(checkout).files))
    s3.put_object(Bucket=BUCKET, Key=key(commit(checkout)), Body=squatted)

    with pytest.raises(Stopped, match="is not what that commit holds"):
        seed_upload.put(s3, BUCKET, seed(checkout))
    assert lies_there(s3, checkout) == squatted


def test_a_seed_of_an_earlier_list_is_laid_to_nobodys_charge(
    s3: "S3Client", checkout: Path
) -> None:
    files = {path: one for path, one in seed(checkout).files.items() if path[:6] != "skills"}
    s3.put_object(Bucket=BUCKET, Key=key(commit(checkout)), Body=changed(files))

    with pytest.raises(Stopped, match="what a seed is of") as stop:
        seed_upload.put(s3, BUCKET, seed(checkout))
    assert "(PATHS in skills/fleet_control/seed.py) changed since it was packed" in str(stop.value)


def test_a_bucket_that_is_not_there_is_said(s3: "S3Client", checkout: Path) -> None:
    with pytest.raises(Stopped, match=r"S3 does not serve s3://nobodys/seeds/.* \(NoSuchBucket\)"):
        seed_upload.put(s3, "nobodys", seed(checkout))


def test_what_the_role_may_not_is_said_with_what_mends_it(checkout: Path) -> None:
    denied = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
    with listening(lambda *_: (403, {}, denied)) as url:
        client = client_of(url)
        with pytest.raises(Stopped, match=r"may not put or read s3://.* Apply tofu/control"):
            seed_upload.put(client, BUCKET, seed(checkout))
        client.close()


def test_an_s3_that_is_away_is_said(checkout: Path) -> None:
    client = client_of("http://127.0.0.1:9")
    with pytest.raises(Stopped, match="S3 can't be reached for s3://"):
        seed_upload.put(client, BUCKET, seed(checkout))
    client.close()
