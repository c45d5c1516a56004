"""A bundle's `manifest.json`: for whom the bundle was made and what is in it; no secrets."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from fleet_control.error import ManifestError
from fleet_control.registry import Instance

NAME = "manifest.json"
_AGAIN = "Upload it anew with `clawbot bundle upload {}`."
# What every host has below /run/agenix, whatever its entry says.
FLEETS = (
    "clawdinator-control-token",
    *(
        f"clawdinator-{whose}-aws-{half}"
        for whose in ("control", "chat")
        for half in ("access-key-id", "secret-access-key")
    ),
)

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Manifest(BaseModel):
    """The content of `manifest.json`.

    Attributes:
        instance: for which it was made.
        bootstrap_prefix: where it was put.
        files: the SHA-256 of each encrypted file, by its name in the bundle.
        archive: the SHA-256 of the bundle itself, as it was uploaded.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, populate_by_name=True
    )

    version: Literal[1] = 1
    instance: str
    bootstrap_prefix: str
    files: Mapping[str, Sha256]
    archive: Sha256


def needed(entry: Instance) -> tuple[str, ...]:
    """The secrets that a host of this entry looks for, by their names there."""
    return (*FLEETS, *entry.tokens, *(entry.agent_secrets or ()))


def read(data: bytes) -> Manifest:
    """The manifest in these bytes; ManifestError says what is wrong with them."""
    try:
        return Manifest.model_validate_json(data, by_alias=True, by_name=False)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "it"
        raise ManifestError(f"{NAME} is not one of ours ({where}: {first['msg']})") from error


def write(manifest: Manifest) -> bytes:
    """The same bytes for the same bundle."""
    document = manifest.model_dump(by_alias=True)
    return f"{json.dumps(document, indent=2, sort_keys=True)}\n".encode()


def lacks(entry: Instance, manifest: Manifest, instance: str) -> tuple[str, ...]:
    """Why a host of this entry could not live by that bundle; empty where it can."""
    return tuple(
        f"{fault} {_AGAIN.format(instance)}" for fault in _faults(entry, manifest, instance)
    )


def _faults(entry: Instance, manifest: Manifest, instance: str) -> Iterator[str]:
    if manifest.instance != instance:
        yield f"The bundle of {instance} was made for {manifest.instance}."
    if manifest.bootstrap_prefix != entry.bootstrap_prefix:
        yield (
            f"The bundle of {instance} was made for {manifest.bootstrap_prefix}, and its entry "
            f"says {entry.bootstrap_prefix}."
        )
    missing = [name for name in needed(entry) if f"{name}.age" not in manifest.files]
    if missing:
        yield f"The bundle of {instance} lacks {', '.join(missing)}."
