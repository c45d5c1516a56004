"""The command `clawbot secrets`, with its sub-commands."""

import argparse
import sys
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from clawbot.provision import secret_backup, secret_check, secret_make, secret_value
from clawbot.provision.error import ProvisionError
from clawbot.provision.fleet_secret import CONTROL_TOKEN, Kind, identity_name, needed_by
from clawbot.provision.invoker_key import InvokerKeys
from clawbot.provision.operator_context import OperatorContext
from clawbot.provision.secret_folder import make_operator
from clawbot.provision.secret_value import SecretValue
from clawbot.provision.typed_value import typed
from fleet_control import aws_error

# As tofu/control/function.tf has it.
_CONTROL_PARAMETER = "/clawdinator/control-token"
_GITHUB_PARAMETER = "/clawdinator/github-token"
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
    add(
        "github",
        _github,
        "give the Control API another token for GitHub: a line, or standard input",
    )
    add("rotate", _rotate, "a new one; the old one works until it is retired").add_argument(
        "which", help=_WHICH
    )
    add("retire", _retire, "end the old one").add_argument("which", help=_WHICH)
    add("forget", _forget, "end everything of an instance that left the registry").add_argument(
        "instance"
    )


def _operator(context: OperatorContext, _: argparse.Namespace) -> Iterator[str]:
    identity = make_operator(context.identity_file)
    context.secrets.add_operator(identity.recipient)
    yield f"{context.identity_file} holds your identity; {identity.recipient} is an operator."


def _make(context: OperatorContext, asked: argparse.Namespace) -> Iterator[str]:
    instances = context.instances(asked.instance)
    with context.iam() as iam:
        yield from secret_make.make(context.registry, instances, context.secrets, InvokerKeys(iam))
    for name in secret_make.to_take(context.registry, instances, context.secrets):
        yield f"still to take in: clawbot secrets take {name}"


def _take(context: OperatorContext, asked: argparse.Namespace) -> Iterator[str]:
    secret = secret_make.to_be_taken(context.registry, asked.name)
    folder = context.secrets
    given = _given(secret.name, secret.kind, f"clawbot secrets take {secret.name}")
    value = secret_value.checked(secret.name, secret.kind, given.text)
    secret_make.take(context.registry, secret, value, folder)
    yield f"{asked.name}: taken in, {given.said}."
    yield from given.notes


def _given(name: str, kind: Kind, command: str) -> SecretValue:
    """The value that is typed, or on standard input; ProvisionError where it is none."""
    piped = sys.stdin or TextIOWrapper(BytesIO())  # it may be closed
    by_hand = piped.isatty()
    data = typed(name, command) if by_hand else piped.buffer.read()
    given = secret_value.read(name, kind, data)
    if not given.doubt:
        return given
    if not by_hand:
        raise ProvisionError(
            f"{name}: the value stands {given.doubt}; nothing was taken in. Give it without that, "
            f"or type `{command}` at a terminal, which asks."
        )
    return _meant(given, as_it_is=kind is not Kind.TOKEN)


def _meant(given: SecretValue, *, as_it_is: bool) -> SecretValue:
    """What to take of a doubtful value, by the operator's word; ProvisionError for nothing."""
    choice = "yes, or no to take it as it is" if as_it_is else "yes or no"
    sys.stderr.write(f"The value stands {given.doubt}. Take it without that? ({choice}) ")
    sys.stderr.flush()
    match sys.stdin.readline().strip().lower():
        case "yes" | "y":
            return given.without_doubt()
        case "no" | "n" if as_it_is:
            return given
    raise ProvisionError("Nothing was taken in.")


def _check(context: OperatorContext, asked: argparse.Namespace) -> Iterator[str]:
    with context.s3() as s3:
        stored = secret_backup.difference(s3, context.bucket, context.secrets)
    wrong = 0
    for id_ in context.instances(asked.instance):
        faults = secret_check.faults(context.registry, id_, context.secrets)
        kept = (identity_name(id_), *(secret.name for secret in needed_by(context.registry, id_)))
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


def _sync(context: OperatorContext, _: argparse.Namespace) -> Iterator[str]:
    with context.s3() as s3:
        yield from secret_backup.sync(s3, context.bucket, context.secrets)
    yield f"s3://{context.bucket}/{secret_backup.PREFIX} is as {context.nix_secrets} is."


def _accept(context: OperatorContext, _: argparse.Namespace) -> Iterator[str]:
    accepted = secret_make.accepted_tokens(context.secrets)
    _tell(context, _CONTROL_PARAMETER, accepted)
    count = len(accepted.splitlines())
    yield f"{_CONTROL_PARAMETER}: {count} control token{'s are' if count > 1 else ' is'} accepted."


def _github(context: OperatorContext, _: argparse.Namespace) -> Iterator[str]:
    name = "GitHub's token"
    given = _given(name, Kind.TOKEN, "clawbot secrets github")
    value = secret_value.checked(name, Kind.TOKEN, given.text)
    _tell(context, _GITHUB_PARAMETER, value.decode())
    yield f"{_GITHUB_PARAMETER}: written, {given.said}."
    yield "`fleet-control runs` shows whether GitHub takes it."


def _tell(context: OperatorContext, parameter: str, value: str) -> None:
    """Write what the Control API reads."""
    try:
        with context.ssm() as ssm:
            ssm.put_parameter(Name=parameter, Value=value, Type="SecureString", Overwrite=True)
    except (ClientError, BotoCoreError) as error:
        # Without its own words, which could quote what was sent.
        unwritten = f"{parameter} can't be written ({aws_error.name(error)})."
        raise ProvisionError(aws_error.words(error, unwritten)) from None


def _rotate(context: OperatorContext, asked: argparse.Namespace) -> Iterator[str]:
    if asked.which == CONTROL_TOKEN:
        secret_make.rotate_control_token(context.registry, context.secrets)
        yield f"{CONTROL_TOKEN}: a new one is made."
        yield from _accept(context, asked)
        return
    for id_ in context.instances(asked.which):
        with context.iam() as iam:
            secret_make.rotate_keys(context.registry, id_, context.secrets, InvokerKeys(iam))
        yield f"{id_}: new keys are made; the old ones still work."


def _retire(context: OperatorContext, asked: argparse.Namespace) -> Iterator[str]:
    if asked.which == CONTROL_TOKEN:
        context.secrets.delete(secret_make.PREVIOUS_TOKEN)
        yield from _accept(context, asked)
        return
    with context.iam() as iam:
        for id_ in context.instances(asked.which):
            for key in secret_make.retire_keys(id_, context.secrets, InvokerKeys(iam)):
                yield f"{id_}: key {key} deleted."


def _forget(context: OperatorContext, asked: argparse.Namespace) -> Iterator[str]:
    if asked.instance in context.registry:
        raise ProvisionError(
            f"`{asked.instance}` is in the registry: `clawbot instance remove` comes first."
        )
    with context.iam() as iam:
        yield from secret_make.forget(
            context.registry, asked.instance, context.secrets, InvokerKeys(iam)
        )
