"""Instances in the repository: an entry of the registry, and a host file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clawbot.provision.checkout import REGISTRY, read, valid
from clawbot.provision.error import ProvisionError
from fleet_control.registry import Registry

HOSTS = Path("nix/hosts")
DEFAULT_TYPE = "t3.large"
_HOST_FILE = """\
# What no other host has. The rest is of the registry and of ../modules.
{
  imports = [ ../modules/host.nix ];

  clawdinator.instance = "%s";
}
"""


def add(checkout: Path, id_: str, more: Mapping[str, object]) -> Registry:
    """Write the entry and the host file; `more` is the entry's fields as the registry has them.

    ProvisionError where the registry would not be valid; nothing is written then.
    """
    raw = _read(checkout)
    if id_ in raw:
        raise ProvisionError(f"`{id_}` is in the registry already.")
    entry = {
        "host": id_,
        "instanceType": DEFAULT_TYPE,
        "bootstrapPrefix": f"bootstrap/{id_}",
        "discordTokenSecret": _token_secret(id_),
        **more,
    }
    text = _text({**raw, id_: entry})
    registry = valid(text)
    host = checkout / HOSTS / f"{registry[id_].host}.nix"
    if host.exists() and host.read_text() != _HOST_FILE % id_:
        raise ProvisionError(f"{host} is there already; move it away, or choose another --host.")
    # The registry last: an entry without its host file could not be built.
    host.parent.mkdir(parents=True, exist_ok=True)
    _replace(host, _HOST_FILE % id_)
    _replace(checkout / REGISTRY, text)
    return registry


def remove(checkout: Path, id_: str) -> Registry:
    """Take the entry and the host file out; ProvisionError where that leaves no valid registry."""
    raw = _read(checkout)
    if id_ not in raw:
        known = ", ".join(raw)
        raise ProvisionError(f"`{id_}` is not in the registry; it has {known}.")
    text = _text({key: entry for key, entry in raw.items() if key != id_})
    before, after = valid(_text(raw)), valid(text)
    _replace(checkout / REGISTRY, text)
    (checkout / HOSTS / f"{before[id_].host}.nix").unlink(missing_ok=True)
    return after


def _token_secret(id_: str) -> str:
    """`clawdinator-2` has `clawdinator-discord-token-2`, as the first instances do."""
    name, _, number = id_.rpartition("-")
    return f"{name}-discord-token-{number}" if name and number.isdigit() else f"{id_}-discord-token"


def _read(checkout: Path) -> dict[str, Any]:
    """As it is written; valid, or ProvisionError."""
    text = read(checkout, REGISTRY)
    valid(text)
    raw: dict[str, Any] = json.loads(text)
    return raw


def _text(raw: Mapping[str, Any]) -> str:
    return f"{json.dumps(raw, indent=2)}\n"


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    new.rename(path)
