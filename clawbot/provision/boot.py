"""What a host does at boot: fetch its secrets and its seed, and choose the system to switch to.

`python -m clawbot.provision.boot secrets` is clawdinator-bootstrap.service, `… repository` is
clawdinator-repo-seed.service; user data asks `… system HOST` what to do, and says `… switched HOST`
when that is done. Each may be killed anywhere and run again. A host that is told nothing new asks
nobody and changes nothing, whatever is away; `… secrets --refresh` is for an operator to type.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from clawbot.provision import bundle_object, host_config, installation, system_choice
from clawbot.provision.bundle_object import S3Uri, sha256
from clawbot.provision.error import ProvisionError
from clawbot.provision.host_config import HostConfig
from clawbot.provision.installation import PRIVATE, PUBLIC, InstallRecord, Modes
from fleet_control import aws_error, seed, seed_check
from fleet_control.archive import ArchiveError, File, tar, unpack

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

SECRETS_FOLDER = Path("var/lib/clawd/nix-age-secrets")
REPOSITORY_FOLDER = Path("var/lib/clawd/repos/clawdinators")
IDENTITY = "instance.agekey"
_IDENTITY_BEGINS = b"AGE-SECRET-KEY-1"
_WHOSE = "# identity of "


@dataclass(frozen=True, slots=True)
class Part:
    """One of the two archives that a host fetches from S3: its secrets, or its repository.

    Attributes:
        own: whether it is the instance's alone, and so never left in use by another.
        key: where in the bucket it lies.
        sum: the archive's SHA-256 as the host was told, empty where the object itself says it.
        check: raises where what came is not what it must be.
        mend: what to do then.
    """

    folder: Path
    modes: Modes
    own: bool
    key: Callable[[HostConfig], str]
    sum: Callable[[HostConfig], str]
    check: Callable[[Mapping[str, File], HostConfig], None]
    mend: str


def identity_file(secret: str, instance: str) -> bytes:
    """An instance's age identity as its bundle holds it; a comment says whose it is."""
    return f"{secret}\n{_WHOSE}{instance}\n".encode()


def check_secrets(files: Mapping[str, File], host: HostConfig) -> None:
    identity = files.get(IDENTITY)
    if identity is None or not identity.data.startswith(_IDENTITY_BEGINS):
        raise ProvisionError(
            f"The bundle holds no age key ({IDENTITY}), so no secret of it could be read."
        )
    # One of before says nothing.
    _, said, whose = identity.data.decode(errors="replace").partition(f"\n{_WHOSE}")
    if said and whose.strip() != host.instance:
        raise ProvisionError(
            f"The bundle holds the identity of {whose.strip()[:40]}, and this host is "
            f"{host.instance}."
        )


def check_repository(files: Mapping[str, File], host: HostConfig) -> None:
    if problems := seed_check.faults(files, host.revision, host.instance):
        raise ProvisionError(*problems)


PARTS = {
    "secrets": Part(
        folder=SECRETS_FOLDER,
        modes=PRIVATE,
        own=True,
        key=lambda host: f"{host.bootstrap_prefix}/{bundle_object.SECRETS}",
        sum=lambda _: "",
        check=check_secrets,
        mend="Upload it anew with `clawbot bundle upload {0.instance}`.",
    ),
    "repository": Part(
        folder=REPOSITORY_FOLDER,
        modes=PUBLIC,
        own=False,
        key=lambda host: seed.key(host.revision),
        sum=lambda host: host.seed_sha256,
        check=check_repository,
        mend="Deploy {0.instance} again.",
    ),
}


def bring(
    part: Part, bucket: str, root: Path, client: Callable[[str], "S3Client"], *, anew: bool = False
) -> str:
    """Install the part from S3 unless it is installed, or `anew`; returns what was done."""
    host = host_config.read(root)
    folder = root / part.folder
    installation.own_parents(root, folder)
    installation.recover(folder)
    wanted = InstallRecord(
        bucket, part.key(host), host.instance, host.revision, part.sum(host), content_sha256=""
    )
    before = installation.installed(folder)
    if before and part.own and _whose(before) != _whose(wanted):
        # Not even an S3 that is away may leave another instance's in use.
        installation.remove(folder)
        before = None
    if before and not anew and _told_nothing_new(before, wanted):
        return f"{folder} stays as it is: this host is told nothing new, and asked nobody."
    with closing(client(host.region)) as s3:
        return _fetch(s3, part, host, folder, wanted)


def _whose(record: InstallRecord) -> tuple[str, str, str]:
    return record.bucket, record.key, record.instance


def _told_nothing_new(before: InstallRecord, wanted: InstallRecord) -> bool:
    same = (_whose(before), before.revision) == (_whose(wanted), wanted.revision)
    return same and wanted.sha256 in ("", before.sha256)


def _fetch(
    s3: "S3Client", part: Part, host: HostConfig, folder: Path, wanted: InstallRecord
) -> str:
    uri = S3Uri(wanted.bucket, wanted.key)
    mend = part.mend.format(host)
    fetched = bundle_object.get(s3, uri)
    if fetched is None:
        raise ProvisionError(f"{uri} is not there. {mend}")
    data, head = fetched
    if sha256(data) != (wanted.sha256 or head.sha256):
        raise ProvisionError(
            f"{uri} is not what this host was told of: its SHA-256 is {sha256(data)}. It was cut "
            f"short, or somebody changed it. {mend}"
        )
    try:
        files = unpack(data)
        part.check(files, host)
    except (ArchiveError, ProvisionError) as error:
        raise ProvisionError(f"{error} {mend}") from error
    sums = {"sha256": sha256(data), "content_sha256": sha256(tar(files))}
    installation.install(folder, files, replace(wanted, **sums), part.modes)
    return f"{folder} now holds {uri}."


def become(root: Path, host: str) -> str:
    """What user data is to do: `keep`, `build`, or the store path of a system to enter."""
    choice = system_choice.choose(
        root, host_config.read(root), host, installation.installed(root / REPOSITORY_FOLDER)
    )
    sys.stderr.write(f"{choice.why}\n")
    return choice.what


def s3_client(region: str) -> "S3Client":
    """An S3 client with the credentials that boto3 finds: on a host, the instance profile's."""
    try:
        return boto3.client(
            "s3",
            region_name=region,
            config=Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 4}),
        )
    except BotoCoreError as error:
        raise ProvisionError(aws_error.of_settings(error)) from error


def main(argv: Sequence[str] | None = None, client: Callable[[str], "S3Client"] = s3_client) -> int:
    asked = _parser().parse_args(argv)
    try:
        done = _done(asked, client)
    except (ProvisionError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{done}\n")
    return 0


def _done(asked: argparse.Namespace, client: Callable[[str], "S3Client"]) -> str:
    match asked.what:
        case "system":
            return become(asked.root, asked.host)
        case "switched":
            system_choice.record(asked.root, host_config.read(asked.root), asked.host)
            return f"This is {asked.host} from now on."
        case part:
            return bring(PARTS[part], asked.bucket, asked.root, client, anew=asked.refresh)


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--bucket", required=True, help="the bootstrap bucket")
    shared.add_argument("--root", type=Path, default=Path("/"), help="the folder all is below")
    parser = argparse.ArgumentParser(prog="clawbot.provision.boot", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    for name in PARTS:
        part = commands.add_parser(name, parents=[shared], help=f"fetch the {name}")
        part.set_defaults(refresh=False)
    commands.choices["secrets"].add_argument(
        "--refresh", action="store_true", help="fetch them though this host is told nothing new"
    )
    for name, what in (
        ("system", "say what this machine is to become"),
        ("switched", "note that it became that"),
    ):
        commands.add_parser(name, parents=[shared], help=what).add_argument("host")
    return parser


if __name__ == "__main__":
    sys.exit(main())
