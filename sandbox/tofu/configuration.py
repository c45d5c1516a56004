"""What tofu/fleet says, as far as the stand-in reads it: the registry and the image."""

import json
import re
from collections.abc import Mapping

from sandbox.tofu.command import Command
from sandbox.tofu.failure import Failed

_REGISTRY = "../../nix/instances.json"
_IMAGE = re.compile(r"ami-([0-9a-f]{8}|[0-9a-f]{17})")


def instance_types(command: Command) -> Mapping[str, str]:
    """The registry's instance types, by id."""
    if not any(command.folder.glob("*.tf")):
        raise Failed("No configuration files", f"{command.folder.name} holds no *.tf files.")
    try:
        raw = json.loads((command.folder / _REGISTRY).read_text())
        types = {str(id_): str(entry["instanceType"]) for id_, entry in raw.items()}
    except OSError as error:
        raise Failed(
            "Invalid function argument",
            f'Invalid value for "path" parameter: no file exists at "{_REGISTRY}".',
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Failed(
            "Invalid function argument", "nix/instances.json is not a registry."
        ) from error
    if not types:
        raise Failed(
            "Resource precondition failed",
            "nix/instances.json is empty; applying it would destroy every host.",
        )
    return types


def image(command: Command, environ: Mapping[str, str]) -> str:
    given = command.pairs("-var")
    if unknown := [name for name in given if name != "ami"]:
        raise Failed("Value for undeclared variable", f"This stand-in knows no -var={unknown[0]}.")
    value = given.get("ami") or environ.get("TF_VAR_ami", "")
    if not value:
        raise Failed(
            "No value for required variable", 'The root module input variable "ami" is not set.'
        )
    if not _IMAGE.fullmatch(value):
        raise Failed("Invalid value for variable", "An image id looks like ami-0123456789abcdef0.")
    return value
