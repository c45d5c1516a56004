"""The bootstrap bucket as people and an earlier run left it: manifests of bundles, a first seed."""

from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from fleet_control import manifest
from fleet_control.error import RegistryError
from fleet_control.manifest import Manifest
from fleet_control.registry import parse
from sandbox.principal import REGION
from workflows.fleet_deploy import seeding
from workflows.fleet_deploy.git import Git

_NO_SUM = "0" * 64
_CONFIG = Config(retries={"total_max_attempts": 2}, s3={"addressing_style": "path"})


class BootstrapBucket:
    """Filled with an administrator's key, at moto's `url`."""

    def __init__(self, url: str, bucket: str) -> None:
        self._bucket = bucket
        self._s3: Any = boto3.client(
            "s3",
            endpoint_url=url,
            region_name=REGION,
            aws_access_key_id="AKIAADMINISTRATOR",
            aws_secret_access_key="sandbox",  # noqa: S106  (of nothing)
            config=_CONFIG,
        )

    def close(self) -> None:
        self._s3.close()

    def put_manifests(self, registry: bytes) -> None:
        """The manifests of the bundles that this registry asks for; none where it is not valid."""
        try:
            entries = parse(registry)
        except RegistryError:
            return
        for id_, entry in entries.items():
            made = Manifest(
                instance=id_,
                bootstrap_prefix=entry.bootstrap_prefix,
                files={f"{name}.age": _NO_SUM for name in manifest.needed(entry)},
                archive=_NO_SUM,
            )
            key = f"{entry.bootstrap_prefix}/{manifest.NAME}"
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=manifest.write(made))

    def put_seed(self, repository: Path, commit: str, path: str) -> str:
        """The sum of that commit's seed, which lies there from now on."""
        seed = seeding.of(Git(repository, {"PATH": path}), commit)
        return seeding.put(self._s3, self._bucket, seed)
