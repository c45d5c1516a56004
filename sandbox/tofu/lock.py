"""The state's lock: an item in the table that the backend names, as OpenTofu puts it there."""

import getpass
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from sandbox.tofu.failure import Failed

_POLL_SECONDS = 0.5


@contextmanager
def held(
    dynamodb: Any,
    table: str,
    path: str,
    operation: str,
    timeout: float,
    stop: threading.Event,
    say: Callable[[str], None],
) -> Iterator[None]:
    """Hold the lock of the state at `path` (``bucket/key``), waiting `timeout` seconds for it."""
    info = _info(path, operation)
    until = time.monotonic() + timeout
    waited = False
    while not _take(dynamodb, table, path, info):
        if time.monotonic() >= until:
            raise _taken(dynamodb, table, path)
        if not waited:
            say("Acquiring state lock. This may take a few moments...")
            waited = True
        if stop.wait(_POLL_SECONDS):
            raise Failed("operation canceled", "The state's lock was not acquired.")
    try:
        yield
    finally:
        dynamodb.delete_item(TableName=table, Key={"LockID": {"S": path}})


def broken(dynamodb: Any, table: str, path: str, id_: str) -> None:
    """Take away a lock that nobody holds any more; only the one of this id."""
    held_by = _read(dynamodb, table, path).get("ID", "")
    if held_by != id_:
        raise Failed("Failed to unlock state", f'lock ID "{id_}" does not match "{held_by}"')
    dynamodb.delete_item(TableName=table, Key={"LockID": {"S": path}})


def _info(path: str, operation: str) -> dict[str, str]:
    return {
        "ID": str(uuid.uuid4()),
        "Operation": operation,
        "Info": "",
        "Who": f"{_user()}@{socket.gethostname()}",
        "Version": "1.12.6",
        "Created": datetime.now(UTC).isoformat(),
        "Path": path,
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "nobody"


def _take(dynamodb: Any, table: str, path: str, info: dict[str, str]) -> bool:
    try:
        dynamodb.put_item(
            TableName=table,
            Item={"LockID": {"S": path}, "Info": {"S": json.dumps(info)}},
            ConditionExpression="attribute_not_exists(LockID)",
        )
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
            raise
        return False
    return True


def _taken(dynamodb: Any, table: str, path: str) -> Failed:
    info = _read(dynamodb, table, path)
    shown = "\n".join(
        f"  {key + ':':<11}{info.get(key, '')}"
        for key in ("ID", "Path", "Operation", "Who", "Version", "Created")
    )
    return Failed(
        "Error acquiring the state lock",
        f"Error message: ConditionalCheckFailedException: The conditional request failed\n"
        f"Lock Info:\n{shown}",
    )


def _read(dynamodb: Any, table: str, path: str) -> dict[str, str]:
    """What the lock says of its holder; empty where there is none."""
    item = dynamodb.get_item(TableName=table, Key={"LockID": {"S": path}}, ConsistentRead=True)
    info: dict[str, str] = json.loads(item.get("Item", {}).get("Info", {}).get("S", "{}"))
    return info
