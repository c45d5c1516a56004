"""The state and its lock, in the backend that `init` was told of.

The state says which machine is whose. It lies in a bucket as `show -json` prints it, and the
backend's settings beside the configuration.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from sandbox.tofu import TofuError

# As tofu/fleet/main.tf has it.
STATE_KEY = "fleet.tfstate"
_KEPT = Path(".terraform/stand-in.json")


def initialise(folder: Path, given: Iterable[str]) -> None:
    """Keep the backend's settings, each given as ``name=value``."""
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
    """Delete the lock with that id from the table; TofuError where another or none lies there."""
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
    """The lock's details, its time as Go prints one."""
    created = lock.get("Created", "0001-01-01T00:00:00Z")
    said = {**lock, "Created": created.replace("T", " ").replace("Z", " +0000 UTC")}
    names = ("ID", "Path", "Operation", "Who", "Version", "Created", "Info")
    return "\n".join(f"  {name + ':':<11}{said.get(name, '')}" for name in names)


def read(folder: Path, environ: Mapping[str, str]) -> str:
    """The state as it was last written; an empty one where it never was."""
    from sandbox.tofu import aws  # noqa: PLC0415  (as above)

    with aws.client("s3", environ) as s3:
        try:
            body = s3.get_object(Bucket=initialised(folder)["bucket"], Key=STATE_KEY)["Body"].read()
        except s3.exceptions.NoSuchKey:
            return written({})
    return str(body, "utf-8")


def write(folder: Path, environ: Mapping[str, str], machines: Mapping[str, str]) -> None:
    from sandbox.tofu import aws  # noqa: PLC0415  (as above)

    with aws.client("s3", environ) as s3:
        text = written(machines)
        s3.put_object(Bucket=initialised(folder)["bucket"], Key=STATE_KEY, Body=text.encode())


def machines(text: str) -> dict[str, str]:
    """The state's machines, by their instances."""
    resources = json.loads(text)["values"]["root_module"]["resources"]
    return {one["index"]: one["values"]["id"] for one in resources}


def written(machines: Mapping[str, str]) -> str:
    resources = [
        {
            "address": f"aws_instance.clawdinator[{json.dumps(name)}]",
            "mode": "managed",
            "type": "aws_instance",
            "name": "clawdinator",
            "index": name,
            "values": {"id": machine},
        }
        for name, machine in sorted(machines.items())
    ]
    values = {"root_module": {"resources": resources}}
    return json.dumps({"format_version": "1.0", "values": values})
