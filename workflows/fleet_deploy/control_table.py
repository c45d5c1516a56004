"""The control table, as a run uses it: what stands there is read, and a lock is announced.

The Lambda writes the rest of it (docs/adr/0020).
"""

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from fleet_control.table_item import Item, read, written
from workflows.fleet_deploy.runner import needed

# It answers within ten milliseconds, or else is away.
_CONFIG = Config(connect_timeout=3, read_timeout=3, retries={"total_max_attempts": 2})

# Where it is not, the run goes on without the table, and says so.
UNSET = "CONTROL_TABLE is not set (see docs/set-up.md)."


class TableAway(Exception):
    """The control table can't be reached, or says no; the message is a sentence."""


class ControlTable:
    """The rows of one table, keyed by `key`, of texts and numbers."""

    def __init__(self, client: Any, name: str, key: str = "pk") -> None:
        self._client = client  # boto3's DynamoDB, which has no types here
        self._name = name
        self._key = key

    def get(self, key: str) -> Item | None:
        """What stands under this key, if anything does; TableAway where that can't be learnt."""
        try:
            found = self._client.get_item(
                TableName=self._name, Key={self._key: {"S": key}}, ConsistentRead=True
            )
        except (ClientError, BotoCoreError) as error:
            raise _away(error) from error
        return read(found["Item"]) if "Item" in found else None

    def put(self, item: Item) -> None:
        """Write this in the place of whatever stands under its key; TableAway where that fails."""
        try:
            self._client.put_item(TableName=self._name, Item=written(item))
        except (ClientError, BotoCoreError) as error:
            raise _away(error) from error


def connect(environ: Mapping[str, str]) -> ControlTable | None:
    """The table that the environment names; None where it names none."""
    name = environ.get("CONTROL_TABLE", "")
    return ControlTable(_client(environ), name) if name else None


def of_locks(environ: Mapping[str, str]) -> ControlTable:
    """OpenTofu's, where it keeps its locks."""
    (name,) = needed(environ, "TOFU_LOCK_TABLE")
    return ControlTable(_client(environ), name, key="LockID")


def _client(environ: Mapping[str, str]) -> Any:
    key, secret, region = needed(
        environ, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"
    )
    return boto3.client(
        "dynamodb",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=environ.get("AWS_SESSION_TOKEN"),
        region_name=region,
        endpoint_url=environ.get("AWS_ENDPOINT_URL"),
        config=_CONFIG,
    )


def _away(error: Exception) -> TableAway:
    return TableAway(f"The control table can't be read or written ({type(error).__name__}).")
