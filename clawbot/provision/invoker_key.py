"""Make and delete the invokers' IAM access keys, here so that no OpenTofu state ever has one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from clawbot.provision.error import ProvisionError
from fleet_control import aws_error

if TYPE_CHECKING:
    from mypy_boto3_iam.client import IAMClient


@dataclass(frozen=True, slots=True)
class Key:
    access_key_id: str
    secret_access_key: str = field(repr=False)


class InvokerKeys:
    """The access keys of IAM users, through an operator's IAM client."""

    def __init__(self, iam: "IAMClient") -> None:
        self._iam = iam

    @contextmanager
    def made(self, user: str) -> Iterator[Key]:
        """A new key, deleted again if whoever asked can't keep it."""
        with _in_words(user):
            key = self._iam.create_access_key(UserName=user)["AccessKey"]
        try:
            yield Key(key["AccessKeyId"], key["SecretAccessKey"])
        except BaseException:
            self._iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
            raise

    def delete_others(self, user: str, held: str) -> Iterator[str]:
        """Delete every key but `held`; yields their ids. A user that is gone has none."""
        try:
            with _in_words(user):
                found = self._iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        except _NoUser:
            return
        for key in found:
            if key["AccessKeyId"] != held:
                with _in_words(user):
                    self._iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
                yield key["AccessKeyId"]


class _NoUser(ProvisionError):
    pass


@contextmanager
def _in_words(user: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "NoSuchEntity":
            raise _NoUser(
                f"There is no IAM user {user}: `tofu -chdir=tofu/control apply` makes one for each "
                "entry of the registry."
            ) from error
        if code == "LimitExceeded":
            instance = user.rpartition("-")[0]
            raise ProvisionError(
                f"{user} has two keys already. Delete what is not in use with "
                f"`clawbot secrets retire {instance}`."
            ) from error
        why = f"IAM refuses to touch the keys of {user} ({code})."
        raise ProvisionError(aws_error.words(error, why)) from error
    except BotoCoreError as error:
        why = f"IAM can't be reached ({type(error).__name__})."
        raise ProvisionError(aws_error.words(error, why)) from error
