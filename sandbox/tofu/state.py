"""The state: which machine is whose. It lies in the backend's bucket as `show -json` prints it."""

import json
from collections.abc import Mapping
from pathlib import Path

from sandbox.tofu.backend import STATE_KEY, initialised


def read(folder: Path, environ: Mapping[str, str]) -> str:
    """As it was last written; one that knows no machine where it never was."""
    from sandbox.tofu import aws  # noqa: PLC0415  (the SDK comes with it)

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
    """The machines that it knows, by their instances."""
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
