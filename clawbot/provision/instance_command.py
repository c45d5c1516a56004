"""`clawbot instance`: add, remove."""

import argparse
from collections.abc import Iterator
from typing import Any

from clawbot.provision import instance
from clawbot.provision.fleet_secret import identity_name, invokers, needed_by
from clawbot.provision.operator_context import OperatorContext
from fleet_control.registry import Instance

_LIST = str(Instance.model_fields["agent_secrets"].alias)


def add_to(commands: Any) -> None:
    add = commands.add_parser("add", help="an entry of the registry and a host file")
    add.add_argument("id", help="as in clawdinator-3")
    add.set_defaults(act=_add)
    for field in Instance.model_fields.values():
        flag = "".join(f"-{one.lower()}" if one.isupper() else one for one in str(field.alias))
        several = "+" if str(field.alias) == _LIST else None
        add.add_argument(
            f"--{flag}", dest=str(field.alias), metavar="TEXT", nargs=several, help="of the entry"
        )
    remove = commands.add_parser("remove", help="take both away")
    remove.add_argument("id")
    remove.set_defaults(act=_remove)


def _add(context: OperatorContext, asked: argparse.Namespace) -> Iterator[str]:
    given = vars(asked)
    aliases = (str(field.alias) for field in Instance.model_fields.values())
    more = {alias: given[alias] for alias in aliases if given[alias]}
    registry = instance.add(context.checkout, asked.id, more)
    entry = registry[asked.id]
    yield f"nix/instances.json has {asked.id}; nix/hosts/{entry.host}.nix is written."
    yield "secrets still to make:"
    yield f"  {identity_name(asked.id)}"
    for secret in needed_by(registry, asked.id):
        there = (context.nix_secrets / f"{secret.name}.age").exists()
        yield f"  {secret.name}{' (exists; is encrypted again)' if there else ''}"
    yield "next, once the change is merged, since the keys' users are of the registry:"
    yield "  tofu -chdir=tofu/control apply"
    yield f"  clawbot secrets make {asked.id}"


def _remove(context: OperatorContext, asked: argparse.Namespace) -> Iterator[str]:
    before = context.registry
    instance.remove(context.checkout, asked.id)
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
