"""`clawbot secrets`: operator, make, take, check, sync, accept, rotate, retire, forget."""

import argparse
import getpass
import sys
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from clawbot.provision import secret_check, secret_make, secret_store
from clawbot.provision.desk import Desk
from clawbot.provision.fault import ProvisionError
from clawbot.provision.inventory import CONTROL_TOKEN, identity_name, needed_by
from clawbot.provision.invoker_key import InvokerKeys
from clawbot.provision.vault import make_operator

# As tofu/control/function.tf has it.
_PARAMETER = "/clawdinator/control-token"
_WHICH = f"{CONTROL_TOKEN}, or an instance whose keys are meant"


def add_to(commands: Any) -> None:
    def add(name: str, act: Any, what: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = commands.add_parser(name, help=what, description=what)
        parser.set_defaults(act=act)
        return parser

    add("operator", _operator, "make your own age identity; you become an operator")
    instance = "an instance, or all"
    add("make", _make, "make what is missing; encrypt the shared ones to it too").add_argument(
        "instance", help=instance
    )
    take = add("take", _take, "take a token or an agent's secret in: a line, or standard input")
    take.add_argument("name", help="as the registry has it")
    add("check", _check, "what is missing, stale, or readable by the wrong ones").add_argument(
        "instance", nargs="?", default="all", help=instance
    )
    add("sync", _sync, "make age-secrets/ in S3 as nix-secrets is")
    add("accept", _accept, "tell the Control API which control tokens it accepts")
    add("rotate", _rotate, "a new one; the old one works until it is retired").add_argument(
        "which", help=_WHICH
    )
    add("retire", _retire, "end the old one").add_argument("which", help=_WHICH)
    add("forget", _forget, "end everything of an instance that left the registry").add_argument(
        "instance"
    )


def _operator(desk: Desk, _: argparse.Namespace) -> Iterator[str]:
    identity = make_operator(desk.identity_file)
    desk.vault.add_operator(identity.recipient)
    yield f"{desk.identity_file} holds your identity; {identity.recipient} is an operator."


def _make(desk: Desk, asked: argparse.Namespace) -> Iterator[str]:
    instances = desk.instances(asked.instance)
    with desk.iam() as iam:
        yield from secret_make.make(desk.registry, instances, desk.vault, InvokerKeys(iam))
    for name in secret_make.to_take(desk.registry, instances, desk.vault):
        yield f"still to take in: clawbot secrets take {name}"


def _take(desk: Desk, asked: argparse.Namespace) -> Iterator[str]:
    prompt = f"{asked.name} (is not shown): "
    value = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.read()
    secret_make.take(desk.registry, asked.name, value.encode(), desk.vault)
    yield f"{asked.name}: taken in."


def _check(desk: Desk, asked: argparse.Namespace) -> Iterator[str]:
    with desk.s3() as s3:
        stored = secret_store.difference(s3, desk.bucket, desk.vault)
    wrong = 0
    for id_ in desk.instances(asked.instance):
        faults = secret_check.faults(desk.registry, id_, desk.vault)
        kept = (identity_name(id_), *(secret.name for secret in needed_by(desk.registry, id_)))
        faults += [
            f"{name}.age in S3 is stale: run `clawbot secrets sync`."
            for name in kept
            if name in stored.stale
        ]
        wrong += bool(faults)
        yield f"{id_}: {'all is well' if not faults else ''}".rstrip()
        yield from (f"  {fault}" for fault in faults)
    if wrong:
        raise ProvisionError(f"Something is wrong with {wrong} of them.")


def _sync(desk: Desk, _: argparse.Namespace) -> Iterator[str]:
    with desk.s3() as s3:
        yield from secret_store.sync(s3, desk.bucket, desk.vault)
    yield f"s3://{desk.bucket}/{secret_store.PREFIX} is as {desk.secrets_folder} is."


def _accept(desk: Desk, _: argparse.Namespace) -> Iterator[str]:
    accepted = secret_make.accepted_tokens(desk.vault)
    try:
        with desk.ssm() as ssm:
            ssm.put_parameter(Name=_PARAMETER, Value=accepted, Type="SecureString", Overwrite=True)
    except (ClientError, BotoCoreError) as error:
        # Without its own words, which could quote what was sent.
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
        why = code or type(error).__name__
        raise ProvisionError(f"{_PARAMETER} can't be written ({why}).") from None
    count = len(accepted.splitlines())
    yield f"{_PARAMETER}: {count} control token{'s are' if count > 1 else ' is'} accepted."


def _rotate(desk: Desk, asked: argparse.Namespace) -> Iterator[str]:
    if asked.which == CONTROL_TOKEN:
        secret_make.rotate_control_token(desk.registry, desk.vault)
        yield f"{CONTROL_TOKEN}: a new one is made."
        yield from _accept(desk, asked)
        return
    for id_ in desk.instances(asked.which):
        with desk.iam() as iam:
            secret_make.rotate_keys(desk.registry, id_, desk.vault, InvokerKeys(iam))
        yield f"{id_}: new keys are made; the old ones still work."


def _retire(desk: Desk, asked: argparse.Namespace) -> Iterator[str]:
    if asked.which == CONTROL_TOKEN:
        desk.vault.delete(secret_make.PREVIOUS_TOKEN)
        yield from _accept(desk, asked)
        return
    with desk.iam() as iam:
        for id_ in desk.instances(asked.which):
            for key in secret_make.retire_keys(id_, desk.vault, InvokerKeys(iam)):
                yield f"{id_}: key {key} deleted."


def _forget(desk: Desk, asked: argparse.Namespace) -> Iterator[str]:
    if asked.instance in desk.registry:
        raise ProvisionError(
            f"`{asked.instance}` is in the registry: `clawbot instance remove` comes first."
        )
    with desk.iam() as iam:
        yield from secret_make.forget(desk.registry, asked.instance, desk.vault, InvokerKeys(iam))
