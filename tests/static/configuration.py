"""`tofu/` as it evaluates, without an engine: variables and the registry put in."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfparse import load_from_path  # type: ignore[import-untyped]  # it has no types

ROOT = Path(__file__).parents[2]
ROOTS = ("state", "control", "fleet")
VARIABLES = {
    "ami": "ami-0123456789abcdef0",
    "bootstrap_bucket": "bootstrap",
    "control_api_account": "fleet-control:190000001",
    "control_api_url": "https://control-api.example/",
    "control_token": "x",
    "github_token": "x",
    "image_bucket": "images",
    "oidc_subject": "repo:openclaw/clawdinators:environment:fleet",
    "region": "eu-central-1",
    "repository_id": "1",
    "state_bucket": "state",
}


# What a statement of a policy document may hold, and what AWS calls it.
_NAMES = {
    "sid": "Sid",
    "effect": "Effect",
    "actions": "Action",
    "not_actions": "NotAction",
    "resources": "Resource",
    "not_resources": "NotResource",
    "principals": "Principal",
    "not_principals": "NotPrincipal",
}


def load(
    root: str, folder: Path, checkout: Path = ROOT, **given: str
) -> dict[str, list[dict[str, Any]]]:
    """The blocks of a root by type, for VARIABLES and those `given`; `folder` is for their file."""
    variables, values = folder / "all.tfvars", VARIABLES | given
    variables.write_text("".join(f"{name} = {json.dumps(v)}\n" for name, v in values.items()))
    place = checkout / "tofu" / root
    loaded: dict[str, list[dict[str, Any]]] = load_from_path(
        str(place), allow_downloads=False, vars_paths=[os.path.relpath(variables, place)]
    )
    return loaded


def statements(blocks: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of every policy, with where it stands; keys as AWS has them."""
    for type_, listed in blocks.items():
        for block in listed:
            where = str(block.get("__tfmeta", {}).get("path", type_))
            for statement in as_list(block.get("statement")):
                yield where, _as_aws(statement)
            if type_ in ("aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy"):
                yield from ((where, one) for one in _written(block["policy"]))


def _written(policy: object) -> list[dict[str, Any]]:
    """The statements of a policy that stands there as JSON; a document's are read where it is."""
    if not isinstance(policy, str) or not policy.startswith("{"):
        return []
    written: list[dict[str, Any]] = json.loads(policy)["Statement"]
    return written


def _as_aws(statement: dict[str, Any]) -> dict[str, Any]:
    conditions: dict[str, dict[str, Any]] = {}
    for one in as_list(statement.get("condition")):
        conditions.setdefault(one["test"], {})[one["variable"]] = one["values"]
    named = {aws: statement[name] for name, aws in _NAMES.items() if statement.get(name)}
    return {"Effect": "Allow", **named, "Condition": conditions}


def as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
