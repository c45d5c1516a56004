"""The command `clawbot bundle`: build, upload, check, forget."""

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

from clawbot.provision import bundle, bundle_object, secret_check
from clawbot.provision.bundle import Bundle
from clawbot.provision.bundle_object import MANIFEST, NAMES, SECRETS, Packed, S3Uri
from clawbot.provision.error import ProvisionError
from clawbot.provision.operator_context import OperatorContext


def add_to(commands: Any) -> None:
    for name, act, what in (
        ("build", _build, "build in memory only: would it hold, and what would it be"),
        ("upload", _upload, "build, upload, and ask S3 what is there"),
        (
            "check",
            _check,
            "what is in S3, what of it is stale, and if a secret lies in the repository",
        ),
    ):
        parser = commands.add_parser(name, help=what, description=what)
        parser.add_argument("instance", help="an instance, or all")
        parser.set_defaults(act=act)
    what = "delete the bundle of an instance that left the registry, old versions too"
    forget = commands.add_parser("forget", help=what, description=what)
    forget.add_argument("prefix", help="as in bootstrap/clawdinator-3")
    forget.set_defaults(act=_forget)


def _build(context: OperatorContext, asked: argparse.Namespace) -> Iterator[str]:
    for id_, one in _bundles(context, context.instances(asked.instance)):
        yield f"{id_}: {SECRETS} {_size(one.secrets)}"


def _upload(context: OperatorContext, asked: argparse.Namespace) -> Iterator[str]:
    # Everything is built before anything is sent: half a fleet's bundles help nobody.
    bundles = dict(_bundles(context, context.instances(asked.instance)))
    with context.s3() as s3:
        for number, one in enumerate(bundles.values(), start=1):
            bundle.upload(s3, context.bucket, one)
            yield (
                f"[{number}/{len(bundles)}] s3://{context.bucket}/{one.manifest.bootstrap_prefix}: "
                f"{SECRETS} {_size(one.secrets)}, {MANIFEST}"
            )


def _check(context: OperatorContext, asked: argparse.Namespace) -> Iterator[str]:
    instances = context.instances(asked.instance)
    problems = list(secret_check.in_plain(context.checkout, context.registry, context.secrets))
    wrong = 0
    with context.s3() as s3:
        for id_ in instances:
            faults = _faults(context, s3, id_)
            wrong += bool(faults)
            yield f"{id_}: {'as it should be' if not faults else ''}".rstrip()
            yield from (f"  {fault}" for fault in faults)
        left = bundle_object.prefixes(s3, context.bucket) if asked.instance == "all" else ()
    problems += [
        f"s3://{context.bucket}/{prefix} is the bundle of no instance, with an age identity in it: "
        f"`clawbot bundle forget {prefix}` deletes it."
        for prefix in left
        if prefix not in _prefixes(context)
    ]
    if wrong:
        problems.append(f"Bring them up to date with `clawbot bundle upload {asked.instance}`.")
    if problems:
        raise ProvisionError(*problems)


def _forget(context: OperatorContext, asked: argparse.Namespace) -> Iterator[str]:
    prefix = asked.prefix.strip("/")
    if prefix in (owners := _prefixes(context)):
        raise ProvisionError(
            f"`{prefix}` is the prefix of {owners[prefix]}, which is in the registry: "
            "`clawbot instance remove` comes first."
        )
    uris = [S3Uri(context.bucket, f"{prefix}/{name}") for name in NAMES]
    with context.s3() as s3:
        gone = [uri for uri in uris if bundle_object.delete(s3, uri)]
    if not gone:
        raise ProvisionError(f"There is no bundle at s3://{context.bucket}/{prefix}.")
    yield from (f"{uri}: deleted." for uri in gone)


def _prefixes(context: OperatorContext) -> dict[str, str]:
    """The registry's prefixes, each with its instance."""
    return {entry.bootstrap_prefix: id_ for id_, entry in context.registry.items()}


def _faults(context: OperatorContext, s3: Any, id_: str) -> Sequence[str]:
    try:
        return list(
            bundle.faults(s3, context.bucket, bundle.build(context.registry, id_, context.secrets))
        )
    except ProvisionError as error:
        return error.problems


def _bundles(context: OperatorContext, instances: Sequence[str]) -> Iterator[tuple[str, Bundle]]:
    """Build each instance's bundle; at the end ProvisionError with all that was wrong."""
    folder = context.secrets  # one that can't be opened is said once
    problems = []
    for id_ in instances:
        try:
            yield id_, bundle.build(context.registry, id_, folder)
        except ProvisionError as error:
            problems += [f"{id_}: {problem}" for problem in error.problems]
    if problems:
        raise ProvisionError(*problems)


def _size(packed: Packed) -> str:
    return f"{len(packed.archive) / 1024:.0f} KiB sha256:{packed.head.sha256[:12]}"
