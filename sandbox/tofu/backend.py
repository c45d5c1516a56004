"""Where the state and its lock lie: what `init` was told, kept beside the configuration."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from sandbox.tofu import TofuError

# As tofu/fleet/main.tf has it.
STATE_KEY = "fleet.tfstate"
_KEPT = Path(".terraform/stand-in.json")


def initialise(folder: Path, given: Iterable[str]) -> None:
    """`given` are the backend's settings, each ``name=value``."""
    kept = folder / _KEPT
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(dict(one.split("=", 1) for one in given)))


def initialised(folder: Path) -> Mapping[str, str]:
    try:
        settings: dict[str, str] = json.loads((folder / _KEPT).read_text())
    except OSError as error:
        raise TofuError(
            'Backend initialization required, please run "tofu init"\n\n'
            "Reason: this folder was not initialised."
        ) from error
    return settings


def unlock(folder: Path, id_: str, environ: Mapping[str, str]) -> None:
    """Take away the lock of that id from the table; any other one is named."""
    from sandbox.tofu import aws  # noqa: PLC0415  (the SDK comes with it)

    backend = initialised(folder)
    table, path = backend["dynamodb_table"], f"{backend['bucket']}/{STATE_KEY}"
    where = {"TableName": table, "Key": {"LockID": {"S": path}}}
    with aws.client("dynamodb", environ) as dynamodb:
        item = dynamodb.get_item(**where).get("Item")
        if item is None:
            raise TofuError(
                "Failed to unlock state: failed to retrieve lock info: "
                f'no lock info found for: "{path}" within the DynamoDB table: {table}'
            )
        lock = json.loads(item["Info"]["S"])
        if lock["ID"] != id_:
            raise TofuError(
                f'Failed to unlock state: lock id "{id_}" does not match existing lock\n'
                f"Lock Info:\n{_shown(lock)}"
            )
        dynamodb.delete_item(**where)


def _shown(lock: Mapping[str, str]) -> str:
    """What the lock says of its holder, its time as Go prints one."""
    created = lock.get("Created", "0001-01-01T00:00:00Z")
    said = {**lock, "Created": created.replace("T", " ").replace("Z", " +0000 UTC")}
    names = ("ID", "Path", "Operation", "Who", "Version", "Created", "Info")
    return "\n".join(f"  {name + ':':<11}{said.get(name, '')}" for name in names)
