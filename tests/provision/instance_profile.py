"""The policy of an instance's role, as tofu/fleet evaluates for a registry of one."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.static.configuration import ROOT, load, statements

# What an engine would ask AWS for.
_PARTITION = "data.aws_partition.current.partition"
_DOCUMENT = 'data.aws_iam_policy_document.instance["claw"]'


def policy(bucket: str, prefix: str) -> dict[str, Any]:
    """The document of the instance whose prefix it is."""
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
