"""What a host does at boot: fetch its bundle, check it, install it.

`python -m clawbot.provision.boot secrets` is clawdinator-bootstrap.service, `… repository` is
clawdinator-repo-seed.service. Each may be killed anywhere and run again.
"""

import argparse
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from clawbot.provision import bundle_object, installation
from clawbot.provision.bundle_object import Place, Unreachable
from clawbot.provision.fault import ProvisionError
from clawbot.provision.installation import PRIVATE, PUBLIC, Modes, Record
from fleet_control.archive import ArchiveError, File, unpack
from fleet_control.error import RegistryError
from fleet_control.registry import parse

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

SECRETS_FOLDER = Path("var/lib/clawd/nix-age-secrets")
REPOSITORY_FOLDER = Path("var/lib/clawd/repos/clawdinators")
IDENTITY = "instance.agekey"
_IDENTITY_BEGINS = b"AGE-SECRET-KEY-1"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Host:
    """Who this host is, as user data wrote it below /etc/clawdinator."""

    instance: str
    region: str
    bootstrap_prefix: str


@dataclass(frozen=True, slots=True)
class Part:
    """One of the two things a bundle is made of."""

    archive: str
    folder: Path
    modes: Modes
    check: Callable[[Mapping[str, File], Host], None]


def check_secrets(files: Mapping[str, File], _: Host) -> None:
    identity = files.get(IDENTITY)
    if identity is None or not identity.data.startswith(_IDENTITY_BEGINS):
        raise ProvisionError(
            f"The bundle holds no age key ({IDENTITY}), so no secret of it could be read. "
            "Upload it anew with `clawbot bundle upload`."
        )


def check_repository(files: Mapping[str, File], host: Host) -> None:
    """The flake, its lock, and what it needs to know of this instance are there."""
    again = "Upload it anew with `clawbot bundle upload`."
    missing = {"flake.nix", "flake.lock", "nix/instances.json"} - files.keys()
    if missing:
        raise ProvisionError(f"The repository lacks {', '.join(sorted(missing))}. {again}")
    try:
        entry = parse(files["nix/instances.json"].data).get(host.instance)
    except RegistryError as error:
        raise ProvisionError(f"{error} {again}") from error
    if entry is None:
        raise ProvisionError(f"The repository does not know {host.instance}. {again}")
    if f"nix/hosts/{entry.host}.nix" not in files:
        raise ProvisionError(f"The repository lacks nix/hosts/{entry.host}.nix. {again}")


PARTS = {
    "secrets": Part(bundle_object.SECRETS, SECRETS_FOLDER, PRIVATE, check_secrets),
    "repository": Part(bundle_object.REPOSITORY, REPOSITORY_FOLDER, PUBLIC, check_repository),
}


def bring(part: Part, bucket: str, root: Path, client: Callable[[str], "S3Client"]) -> str:
    """Install the part from S3 unless it is there; what was done, in a sentence."""
    host = read_host(root)
    place = Place(bucket, f"{host.bootstrap_prefix}/{part.archive}")
    folder = root / part.folder
    installation.own_parents(root, folder)
    installation.recover(folder)
    before = installation.installed(folder)
    if before and (before.bucket, before.prefix) != (bucket, host.bootstrap_prefix):
        # Another instance's: not even an S3 that is away may leave it in use.
        installation.remove(folder)
        before = None
    s3 = client(host.region)
    try:
        return _update(s3, part, host, folder, place, before)
    except Unreachable as error:
        if before is None:
            raise
        log.warning("boot.unreachable place=%s error=%s", place, error)
        return f"{error} {folder} stays as it is."
    finally:
        s3.close()


def _update(
    s3: "S3Client", part: Part, host: Host, folder: Path, place: Place, before: Record | None
) -> str:
    there = bundle_object.head(s3, place)
    if there and before and there.sha256 == before.sha256:
        return f"{folder} is up to date."
    fetched = bundle_object.get(s3, place) if there else None
    if fetched is None:
        raise ProvisionError(
            f"{place} is not there. Upload it with `clawbot bundle upload {host.instance}`."
        )
    data, head = fetched
    try:
        files = unpack(data)
    except ArchiveError as error:
        raise ProvisionError(f"{error} Upload it anew with `clawbot bundle upload`.") from error
    part.check(files, host)
    record = Record(place.bucket, host.bootstrap_prefix, head.sha256)
    installation.install(folder, files, record, part.modes)
    return f"{folder} now holds {place}."


def read_host(root: Path) -> Host:
    """ProvisionError names every file that is missing or empty."""
    folder = root / "etc/clawdinator"
    found: dict[str, str] = {}
    problems = []
    for name in ("instance", "region", "bootstrap-prefix"):
        try:
            found[name] = (folder / name).read_text().strip()
        except (OSError, UnicodeDecodeError):
            found[name] = ""
        if not found[name]:
            problems.append(f"{folder / name} is missing or empty: user data writes it at boot.")
    if problems:
        raise ProvisionError(*problems)
    return Host(found["instance"], found["region"], found["bootstrap-prefix"])


def s3_client(region: str) -> "S3Client":
    """With whatever credentials there are: on a host, the instance profile's."""
    return boto3.client(
        "s3",
        region_name=region,
        config=Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 4}),
    )


def main(argv: Sequence[str] | None = None, client: Callable[[str], "S3Client"] = s3_client) -> int:
    parser = argparse.ArgumentParser(prog="clawbot.provision.boot", description=__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--bucket", required=True, help="the bootstrap bucket")
    parser.add_argument("--root", type=Path, default=Path("/"), help="the folder all is below")
    asked = parser.parse_args(argv)
    try:
        done = bring(PARTS[asked.part], asked.bucket, asked.root, client)
    except (ProvisionError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{done}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
