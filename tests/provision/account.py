"""moto with its authentication on: an operator who may everything, and each host's own role."""

import json
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from sandbox.seed import BOOTSTRAP_BUCKET
from tests.static.configuration import ROOT, load, statements

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

REGION = "eu-central-1"
# What an engine would ask AWS for.
_PARTITION = "data.aws_partition.current.partition"
_DOCUMENT = 'data.aws_iam_policy_document.instance["claw"]'
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
class StagedAccount:
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
        document = json.dumps(_role_policy(self.bucket, prefix))
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


def make_account(url: str) -> StagedAccount:
    """Empty it, and start anew."""
    _post(f"{url}/moto-api/reset")
    nobody = StagedAccount(url, {"aws_access_key_id": "a", "aws_secret_access_key": "b"})
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
    return StagedAccount(url, keys)


def _post(url: str, body: bytes = b"") -> None:
    request = urllib.request.Request(url, body, {"Content-Type": "text/plain"})  # noqa: S310  (ours)
    with urllib.request.urlopen(request) as answer:  # noqa: S310  (our own moto)
        answer.read()


def _role_policy(bucket: str, prefix: str) -> dict[str, Any]:
    """The policy of the instance whose prefix it is, as tofu/fleet has it."""
    with TemporaryDirectory() as name:
        folder = Path(name).resolve()
        _lay_out(folder, prefix)
        blocks = load("fleet", folder, folder, bootstrap_bucket=bucket)
    found = [one for where, one in statements(blocks) if where == _DOCUMENT]
    assert len(found) == 4, found
    assert "null" not in json.dumps(found), "it holds what only an engine could evaluate"
    return {"Version": "2012-10-17", "Statement": [_without_nothing(one) for one in found]}


def _lay_out(folder: Path, prefix: str) -> None:
    (folder / "tofu/fleet").mkdir(parents=True)
    for file in (ROOT / "tofu/fleet").iterdir():
        if file.suffix == ".tf":
            text = file.read_text().replace(_PARTITION, '"aws"')
            (folder / "tofu/fleet" / file.name).write_text(text)
        elif file.suffix == ".tftpl":
            shutil.copy(file, folder / "tofu/fleet")
    entry = {
        "host": "claw",
        "instanceType": "t3.large",
        "bootstrapPrefix": prefix,
        "discordTokenSecret": "claw-discord-token",
    }
    (folder / "nix").mkdir()
    (folder / "nix/instances.json").write_text(json.dumps({"claw": entry}))


def _without_nothing(statement: dict[str, Any]) -> dict[str, Any]:
    """IAM takes no condition that is empty."""
    return {key: value for key, value in statement.items() if value != {}}
