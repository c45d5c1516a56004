"""The sandbox's bootstrap bucket: bundles' manifests and seeds, each of which can be spoiled."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from botocore.config import Config

from fleet_control import manifest
from fleet_control.ec2 import keyed_client
from fleet_control.error import RegistryError
from fleet_control.manifest import Manifest
from fleet_control.registry import Instance, parse
from fleet_control.seed import key
from sandbox.principal import REGION
from workflows.fleet_deploy import seed_upload
from workflows.fleet_deploy.git import Git

_NO_SUM = "0" * 64
_CONFIG = Config(retries={"total_max_attempts": 2}, s3={"addressing_style": "path"}, proxies={})


class SpoiledBundle(StrEnum):
    """A broken bundle: there is none, it holds no secret, or it is another instance's."""

    MISSING = "missing"
    STALE = "stale"
    OTHER = "other"


class BootstrapBucket:
    """Filled with an administrator's key, at moto's `url`."""

    def __init__(self, url: str, bucket: str) -> None:
        self._bucket = bucket
        self._s3: Any = keyed_client("s3", "AKIAADMINISTRATOR", "sandbox", REGION, url, _CONFIG)

    def close(self) -> None:
        self._s3.close()

    def put_manifests(self, registry: bytes) -> None:
        """Put the manifest of each bundle that this registry asks for; none if it is not valid."""
        for id_, entry in _entries(registry).items():
            self._put(_place(entry), manifest.write(_whole(id_, entry)))

    def put_seed(self, repository: Path, commit: str, path: str) -> str:
        """Put that commit's seed there; returns its SHA-256."""
        seed = seed_upload.of(Git(repository, {"PATH": path}), commit)
        return seed_upload.put(self._s3, self._bucket, seed)

    def spoil_seed(self, commit: str) -> str:
        """Put something else where that commit's seed lies; returns its key."""
        self._put(key(commit), b"spoiled")
        return key(commit)

    def spoil_bundle(self, registry: bytes, id_: str, how: SpoiledBundle) -> str:
        """Break the manifest of the instance's bundle; returns its key, empty if it has no entry.

        A valid registry puts it right when it changes.
        """
        entry = _entries(registry).get(id_)
        if entry is None:
            return ""
        stale: Mapping[str, object] = {"files": {}}
        wrong = stale if how is SpoiledBundle.STALE else {"instance": f"other-than-{id_}"}
        if how is SpoiledBundle.MISSING:
            self._s3.delete_object(Bucket=self._bucket, Key=_place(entry))
        else:
            self._put(_place(entry), manifest.write(_whole(id_, entry).model_copy(update=wrong)))
        return _place(entry)

    def _put(self, place: str, data: str | bytes) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=place, Body=data)


def _entries(registry: bytes) -> Mapping[str, Instance]:
    try:
        return parse(registry)
    except RegistryError:
        return {}


def _whole(id_: str, entry: Instance) -> Manifest:
    return Manifest(
        instance=id_,
        bootstrap_prefix=entry.bootstrap_prefix,
        files={f"{name}.age": _NO_SUM for name in manifest.needed(entry)},
        archive=_NO_SUM,
    )


def _place(entry: Instance) -> str:
    return f"{entry.bootstrap_prefix}/{manifest.NAME}"
