"""Bundles and seeds as a test puts them into S3, whole or broken."""

import io
import json
import tarfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from clawbot.provision import bundle_object
from clawbot.provision.bundle_object import Packed, S3Uri
from fleet_control import archive, seed, seed_check
from fleet_control.archive import File
from tests.provision.account import StagedAccount

PREFIX = "bootstrap/claw-1"
REVISION = "0123456789" * 4
SECRETS = {
    "instance.agekey": File(b"AGE-SECRET-KEY-1NOTREALLYONE\n"),
    "clawdinator-control-token.age": File(b"age-encryption.org/v1\n..."),
}
REGISTRY = {
    id_: {
        "host": id_,
        "instanceType": "t3.large",
        "bootstrapPrefix": f"bootstrap/{id_}",
        "discordTokenSecret": f"token-{id_}",
    }
    for id_ in ("claw-1", "claw-2")
}
REPOSITORY = {
    "REVISION": File(f"{REVISION}\n".encode()),
    "flake.nix": File(b"{ }\n"),
    "flake.lock": File(b"{}\n"),
    "nix/instances.json": File(json.dumps(REGISTRY).encode()),
    "nix/facts.json": File(b'{"agentCommand": "/bin/agent"}'),
    seed_check.CONTRACT: File(b'FOLDER = "seeds"\nBOOT = "2"\n'),
    "nix/hosts/claw-1.nix": File(b"{ }\n"),
    "scripts/run.sh": File(b"#!/bin/sh\n", executable=True),
}


def packed(files: Mapping[str, File]) -> Packed:
    content = archive.tar(files)
    return Packed(archive.compress(content), content)


def upload(account: StagedAccount, key: str, packed: Packed) -> str:
    """The SHA-256 of what was put there."""
    with closing(account.client("s3")) as s3:
        bundle_object.put(s3, S3Uri(account.bucket, key), packed)
    return packed.head.sha256


def secrets(account: StagedAccount, packed: Packed, prefix: str = PREFIX) -> None:
    upload(account, f"{prefix}/{bundle_object.SECRETS}", packed)


def whole(account: StagedAccount, prefix: str = PREFIX) -> None:
    secrets(account, packed(SECRETS), prefix)
    upload(account, seed.key(REVISION), packed(REPOSITORY))


def of_checkout(account: StagedAccount, checkout: Path) -> str:
    """A seed of whatever lies in that folder; its archive's SHA-256."""
    files = {
        str(path.relative_to(checkout)): File(path.read_bytes())
        for path in checkout.rglob("*")
        if path.is_file()
    }
    beside = {path: REPOSITORY[path] for path in (seed.REVISION_FILE, seed_check.CONTRACT)}
    return upload(account, seed.key(REVISION), packed(files | beside))


def member(name: str, *, link: str = "", hard: bool = False) -> Packed:
    """An archive of one member that should not be there."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info = tarfile.TarInfo(name)
        if link:
            info.type = tarfile.LNKTYPE if hard else tarfile.SYMTYPE
            info.linkname = link
        tar.addfile(info)
    return Packed(archive.compress(buffer.getvalue()), buffer.getvalue())


def scratch(
    folder: Path,
    prefix: str = PREFIX,
    instance: str = "claw-1",
    revision: str = REVISION,
    seed_sha256: str = packed(REPOSITORY).head.sha256,
) -> Path:
    """A root as user data leaves it."""
    facts = {
        "instance": instance,
        "region": "eu-central-1",
        "bootstrap-prefix": prefix,
        "revision": revision,
        "seed-sha256": seed_sha256,
    }
    (folder / "etc/clawdinator").mkdir(parents=True, exist_ok=True)
    for name, value in facts.items():
        (folder / "etc/clawdinator" / name).write_text(f"{value}\n")
    return folder
