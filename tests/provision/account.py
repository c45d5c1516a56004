"""moto with its authentication on: an operator who may everything, and each host's own role."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from sandbox.seed import BOOTSTRAP_BUCKET
from tests.provision import instance_profile

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

REGION = "eu-central-1"
ALLOWED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
ASSUME = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "ec2.amazonaws.com"},
        }
    ],
}


@dataclass(frozen=True)
class OperatorAccount:
    """An AWS account with the bootstrap bucket in it; `keys` are the operator's."""

    url: str
    keys: dict[str, str]
    bucket: str = BOOTSTRAP_BUCKET

    def client(self, service: str, keys: dict[str, str] | None = None) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]  # of no service in particular
            region_name=REGION,
            endpoint_url=self.url,
            config=Config(retries={"total_max_attempts": 1}),
            **(keys or self.keys),
        )

    @property
    def environ(self) -> dict[str, str]:
        """How an operator's shell is set up."""
        return {name.upper(): value for name, value in self.keys.items()} | {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
        }

    def host(self, prefix: str) -> Callable[[str], "S3Client"]:
        """S3 as the host with this prefix reaches it."""
        name = prefix.replace("/", "-")
        document = json.dumps(instance_profile.policy(self.bucket, prefix))
        # EC2 itself assumes the role; moto knows no service that could.
        with (
            unauthenticated(self.url),
            closing(self.client("iam")) as iam,
            closing(self.client("sts")) as sts,
        ):
            role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(ASSUME))
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
            given = sts.assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="i-0123456789")
        keys = {
            "aws_access_key_id": given["Credentials"]["AccessKeyId"],
            "aws_secret_access_key": given["Credentials"]["SecretAccessKey"],
            "aws_session_token": given["Credentials"]["SessionToken"],
        }

        def client(_: str) -> "S3Client":
            s3: S3Client = self.client("s3", keys)
            return s3

        return client


@contextmanager
def unauthenticated(url: str) -> Iterator[None]:
    _post(f"{url}/moto-api/reset-auth", b"inf")
    yield
    _post(f"{url}/moto-api/reset-auth", b"0")


def make_account(url: str) -> OperatorAccount:
    """Empty it, and start anew."""
    _post(f"{url}/moto-api/reset")
    nobody = OperatorAccount(url, {"aws_access_key_id": "a", "aws_secret_access_key": "b"})
    with (
        unauthenticated(url),
        closing(nobody.client("iam")) as iam,
        closing(nobody.client("s3")) as s3,
    ):
        iam.create_user(UserName="sam")
        iam.put_user_policy(UserName="sam", PolicyName="all", PolicyDocument=json.dumps(ALLOWED))
        key = iam.create_access_key(UserName="sam")["AccessKey"]
        s3.create_bucket(
            Bucket=BOOTSTRAP_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
    keys = {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }
    return OperatorAccount(url, keys)


def _post(url: str, body: bytes = b"") -> None:
    request = urllib.request.Request(url, body, {"Content-Type": "text/plain"})  # noqa: S310  (ours)
    with urllib.request.urlopen(request) as answer:  # noqa: S310  (our own moto)
        answer.read()
