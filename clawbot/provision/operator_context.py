"""What an operator's command works with: the checkout, nix-secrets, their age identity, AWS."""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import NoRegionError

from clawbot.provision import checkout
from clawbot.provision.error import ProvisionError
from clawbot.provision.secret_folder import SecretFolder, read_operator
from fleet_control.registry import Registry
from fleet_control.settings import unquoted

if TYPE_CHECKING:
    from mypy_boto3_iam.client import IAMClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_ssm.client import SSMClient

NIX_SECRETS = "CLAWBOT_NIX_SECRETS"
OPERATOR_IDENTITY = "CLAWBOT_OPERATOR_IDENTITY"
BUCKET = "CLAWBOT_BOOTSTRAP_BUCKET"


@dataclass(frozen=True)
class OperatorContext:
    """The operator's checkout and environment, and what is read from them when first asked for.

    Attributes:
        checkout: the repository.
    """

    checkout: Path
    environ: Mapping[str, str]

    def __post_init__(self) -> None:
        ours = (name for name in self.environ if name.startswith(("CLAWBOT_", "AWS_")))
        if quoted := [name for name in ours if unquoted(self.environ[name]) is not None]:
            raise ProvisionError(*(f"{name} stands in quotes: leave them out." for name in quoted))

    @property
    def identity_file(self) -> Path:
        named = self.environ.get(OPERATOR_IDENTITY)
        home = Path(self.environ.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111  (HOME comes first)
        return Path(named) if named else home / ".config/clawbot/operator.agekey"

    @property
    def nix_secrets(self) -> Path:
        return Path(self.environ.get(NIX_SECRETS) or self.checkout / ".." / "nix-secrets")

    @cached_property
    def registry(self) -> Registry:
        return checkout.registry(self.checkout)

    @cached_property
    def secrets(self) -> SecretFolder:
        return SecretFolder(self.nix_secrets, read_operator(self.identity_file))

    @cached_property
    def bucket(self) -> str:
        return self.environ.get(BUCKET) or checkout.bucket(self.checkout)

    def instances(self, named: str) -> tuple[str, ...]:
        """The instances meant by `named`: `all`, or one id of the registry."""
        if named == "all":
            return self.registry.ids
        if named not in self.registry:
            known = ", ".join(self.registry.ids)
            raise ProvisionError(f"`{named}` is not in the registry; it has {known}, or say all.")
        return (named,)

    def s3(self) -> AbstractContextManager["S3Client"]:
        return closing(self._client("s3"))

    def iam(self) -> AbstractContextManager["IAMClient"]:
        return closing(self._client("iam"))

    def ssm(self) -> AbstractContextManager["SSMClient"]:
        return closing(self._client("ssm"))

    @cached_property
    def _session(self) -> boto3.Session:
        environ = self.environ
        session = boto3.Session(
            aws_access_key_id=environ.get("AWS_ACCESS_KEY_ID") or None,
            aws_secret_access_key=environ.get("AWS_SECRET_ACCESS_KEY") or None,
            aws_session_token=environ.get("AWS_SESSION_TOKEN") or None,
            region_name=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION"),
        )
        if session.get_credentials() is None:
            raise ProvisionError(
                "There are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                "AWS_PROFILE, as for the AWS CLI."
            )
        return session

    def _client(self, service: str) -> Any:
        try:
            return self._session.client(
                service,  # type: ignore[call-overload]  # of no service in particular
                endpoint_url=self.environ.get("AWS_ENDPOINT_URL") or None,
                config=Config(connect_timeout=10, read_timeout=60),
            )
        except NoRegionError:
            raise ProvisionError(
                "AWS_REGION is not set: the fleet's, as in eu-central-1."
            ) from None
