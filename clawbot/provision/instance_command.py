"""The command `clawbot instance`: add or remove an entry of the registry and its host file."""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from clawbot.provision.checkout import REGISTRY, read, valid
from clawbot.provision.error import ProvisionError
from clawbot.provision.fleet_secret import identity_name, invokers, needed_by
from clawbot.provision.operator_context import OperatorContext
from fleet_control.registry import Instance, Registry

HOSTS = Path("nix/hosts")
DEFAULT_TYPE = "t3.large"
_HOST_FILE = """\
# What no other host has. The rest is of the registry and of ../modules.
{
  imports = [ ../modules/host.nix ];

  clawdinator.instance = "%s";
}
"""
_LIST = str(Instance.model_fields["agent_secrets"].alias)


def add_to(commands: Any) -> None:
    adding = commands.add_parser("add", help="an entry of the registry and a host file")
    adding.add_argument("id", help="as in clawdinator-3")
    adding.set_defaults(act=_add)
    for field in Instance.model_fields.values():
        flag = "".join(f"-{one.lower()}" if one.isupper() else one for one in str(field.alias))
        several = "+" if str(field.alias) == _LIST else None
        adding.add_argument(
            f"--{flag}", dest=str(field.alias), metavar="TEXT", nargs=several, help="of the entry"
        )
    removing = commands.add_parser("remove", help="take both away")
    removing.add_argument("id")
    removing.set_defaults(act=_remove)


def _add(context: OperatorContext, asked: argparse.Namespace) -> Iterator[str]:
    given = vars(asked)
    aliases = (str(field.alias) for field in Instance.model_fields.values())
    more = {alias: given[alias] for alias in aliases if given[alias]}
    registry = add(context.checkout, asked.id, more)
    entry = registry[asked.id]
    yield f"nix/instances.json has {asked.id}; nix/hosts/{entry.host}.nix is written."
    yield "secrets still to make:"
    yield f"  {identity_name(asked.id)}"
    for secret in needed_by(registry, asked.id):
        there = (context.nix_secrets / f"{secret.name}.age").exists()
        yield f"  {secret.name}{' (exists; is encrypted again)' if there else ''}"
    if not entry.bot_tokens:
        yield "no bot will serve /fleet from its host: the entry names no token of the bot's own."
        yield "to serve it there, add one of these to the entry, by a name that you choose:"
        yield f'  "clawbotDiscordTokenSecret": "{_token_secret(asked.id, "clawbot-discord")}"'
        yield f'  "clawbotTelegramTokenSecret": "{_token_secret(asked.id, "clawbot-telegram")}"'
    yield "next, once the change is merged, since the keys' users are of the registry:"
    yield "  tofu -chdir=tofu/control apply"
    yield f"  clawbot secrets make {asked.id}"


def _remove(context: OperatorContext, asked: argparse.Namespace) -> Iterator[str]:
    before = context.registry
    remove(context.checkout, asked.id)
    yield f"{asked.id} left nix/instances.json; its host file is removed."
    yield "next, once the change is merged:"
    yield "  /fleet deploy all            removes its host"
    yield f"  clawbot secrets forget {asked.id}"
    yield f"  clawbot bundle forget {before[asked.id].bootstrap_prefix}"
    yield "  tofu -chdir=tofu/control apply"
    users = " and ".join(invoker.user for invoker in invokers(asked.id))
    yield f"which end its keys, its bundle and the users {users}."
    taken = [one.name for one in needed_by(before, asked.id) if one.taken]
    yield f"what was taken in stays in nix-secrets, for the next instance: {', '.join(taken)}"


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
        "discordTokenSecret": _token_secret(id_, "discord"),
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


def remove(checkout: Path, id_: str) -> None:
    """Take the entry and the host file out; ProvisionError where that leaves no valid registry."""
    raw = _read(checkout)
    if id_ not in raw:
        known = ", ".join(raw)
        raise ProvisionError(f"`{id_}` is not in the registry; it has {known}.")
    text = _text({key: entry for key, entry in raw.items() if key != id_})
    before = valid(_text(raw))
    valid(text)
    _replace(checkout / REGISTRY, text)
    (checkout / HOSTS / f"{before[id_].host}.nix").unlink(missing_ok=True)


def _token_secret(id_: str, whose: str) -> str:
    """The name of a token's secret: `clawdinator-discord-token-2` for `clawdinator-2`."""
    name, _, number = id_.rpartition("-")
    return f"{name}-{whose}-token-{number}" if name and number.isdigit() else f"{id_}-{whose}-token"


def _read(checkout: Path) -> dict[str, Any]:
    """The registry's JSON; ProvisionError where it is not valid."""
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
