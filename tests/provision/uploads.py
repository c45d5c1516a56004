"""Bundles as a test puts them into S3, whole or broken."""

import io
import json
import tarfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from clawbot.provision import bundle_object
from clawbot.provision.bundle_object import Packed, Place
from fleet_control import archive
from fleet_control.archive import File
from tests.provision.account import Account

PREFIX = "bootstrap/claw-1"
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
    "flake.nix": File(b"{ }\n"),
    "flake.lock": File(b"{}\n"),
    "nix/instances.json": File(json.dumps(REGISTRY).encode()),
    "nix/hosts/claw-1.nix": File(b"{ }\n"),
    "scripts/run.sh": File(b"#!/bin/sh\n", executable=True),
}


def packed(files: Mapping[str, File]) -> Packed:
    content = archive.tar(files)
    return Packed(archive.compress(content), content)


def upload(account: Account, name: str, packed: Packed, prefix: str = PREFIX) -> None:
    with closing(account.client("s3")) as s3:
        bundle_object.put(s3, Place(account.bucket, f"{prefix}/{name}"), packed)


def whole(account: Account, prefix: str = PREFIX) -> None:
    upload(account, bundle_object.SECRETS, packed(SECRETS), prefix)
    upload(account, bundle_object.REPOSITORY, packed(REPOSITORY), prefix)


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


def scratch(folder: Path, prefix: str = PREFIX, instance: str = "claw-1") -> Path:
    """A root as user data leaves it."""
    facts = {"instance": instance, "region": "eu-central-1", "bootstrap-prefix": prefix}
    (folder / "etc/clawdinator").mkdir(parents=True, exist_ok=True)
    for name, value in facts.items():
        (folder / "etc/clawdinator" / name).write_text(f"{value}\n")
    return folder
