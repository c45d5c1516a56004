"""What an operator's command works with: the checkout, nix-secrets, their age identity, AWS."""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from clawbot.provision import checkout
from clawbot.provision.error import ProvisionError
from clawbot.provision.secret_folder import SecretFolder, read_operator
from fleet_control import aws_error
from fleet_control.proxy import proxies
from fleet_control.registry import Registry
from fleet_control.settings import unquoted

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
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

    def ec2(self) -> "EC2Client":
        """For as long as the program runs."""
        client: EC2Client = self._client("ec2")
        return client

    def client(self, service: str) -> AbstractContextManager[Any]:
        """A client of any other service of AWS's."""
        return closing(self._client(service))

    @property
    def region(self) -> str:
        return str(self._session.region_name)

    @cached_property
    def _session(self) -> boto3.Session:
        environ = self.environ
        key, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
        whole = bool(key and secret)
        with _in_words():
            session = boto3.Session(
                aws_access_key_id=key if whole else None,
                aws_secret_access_key=secret if whole else None,
                aws_session_token=environ.get("AWS_SESSION_TOKEN") if whole else None,
                region_name=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION"),
            )
            found = session.get_credentials()
            if found is None:
                raise NoCredentialsError
            # A sign-on is looked at when a key is wanted first: better now than half-way.
            found.get_frozen_credentials()
            if not session.region_name:
                raise NoRegionError
        return session

    def _client(self, service: str) -> Any:
        session = self._session
        url = self.environ.get("AWS_ENDPOINT_URL") or None
        try:
            return session.client(
                service,  # type: ignore[call-overload]  # of no service in particular
                endpoint_url=url,
                config=Config(connect_timeout=10, read_timeout=60, proxies=proxies(url)),
            )
        except BotoCoreError as error:
            raise ProvisionError(aws_error.of_settings(error)) from error
        except ValueError as error:
            raise ProvisionError(
                "AWS can't be asked: AWS_ENDPOINT_URL is no URL, or another AWS_… variable is "
                "wrong."
            ) from error


@contextmanager
def _in_words() -> Iterator[None]:
    """Turn whatever keeps an operator's credentials away into a ProvisionError."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        why = f"Your AWS credentials can't be had ({aws_error.name(error)})."
        raise ProvisionError(aws_error.words(error, why)) from error
    except EOFError as error:
        raise ProvisionError(
            f"Profile `{aws_error.profile()}` asks for a code (MFA): type this at a terminal."
        ) from error
    except (ValueError, OSError) as error:
        # What a profile's credential_process says may be a secret: its words are not repeated.
        raise ProvisionError(
            f"What profile `{aws_error.profile()}` names as its credential_process can't be run, "
            f"or does not say what it must ({type(error).__name__}): run that by hand."
        ) from error
