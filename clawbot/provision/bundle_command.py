"""`clawbot bundle`: build, upload, check, forget."""

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

from clawbot.provision import bundle, bundle_object, plain_secret
from clawbot.provision.bundle import Bundle
from clawbot.provision.bundle_object import MANIFEST, NAMES, SECRETS, Packed, Place
from clawbot.provision.desk import Desk
from clawbot.provision.fault import ProvisionError


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


def _build(desk: Desk, asked: argparse.Namespace) -> Iterator[str]:
    for id_, one in _bundles(desk, desk.instances(asked.instance)):
        yield f"{id_}: {SECRETS} {_size(one.secrets)}"


def _upload(desk: Desk, asked: argparse.Namespace) -> Iterator[str]:
    # Everything is built before anything is sent: half a fleet's bundles help nobody.
    bundles = dict(_bundles(desk, desk.instances(asked.instance)))
    with desk.s3() as s3:
        for number, one in enumerate(bundles.values(), start=1):
            bundle.upload(s3, desk.bucket, one)
            yield (
                f"[{number}/{len(bundles)}] s3://{desk.bucket}/{one.manifest.bootstrap_prefix}: "
                f"{SECRETS} {_size(one.secrets)}, {MANIFEST}"
            )


def _check(desk: Desk, asked: argparse.Namespace) -> Iterator[str]:
    instances = desk.instances(asked.instance)
    problems = list(plain_secret.found(desk.checkout, desk.registry, desk.vault))
    wrong = 0
    with desk.s3() as s3:
        for id_ in instances:
            faults = _faults(desk, s3, id_)
            wrong += bool(faults)
            yield f"{id_}: {'as it should be' if not faults else ''}".rstrip()
            yield from (f"  {fault}" for fault in faults)
        left = bundle_object.prefixes(s3, desk.bucket) if asked.instance == "all" else ()
    problems += [
        f"s3://{desk.bucket}/{prefix} is the bundle of no instance, with an age identity in it: "
        f"`clawbot bundle forget {prefix}` deletes it."
        for prefix in left
        if prefix not in _prefixes(desk)
    ]
    if wrong:
        problems.append(f"Bring them up to date with `clawbot bundle upload {asked.instance}`.")
    if problems:
        raise ProvisionError(*problems)


def _forget(desk: Desk, asked: argparse.Namespace) -> Iterator[str]:
    prefix = asked.prefix.strip("/")
    if prefix in (owners := _prefixes(desk)):
        raise ProvisionError(
            f"`{prefix}` is the prefix of {owners[prefix]}, which is in the registry: "
            "`clawbot instance remove` comes first."
        )
    places = [Place(desk.bucket, f"{prefix}/{name}") for name in NAMES]
    with desk.s3() as s3:
        gone = [place for place in places if bundle_object.delete(s3, place)]
    if not gone:
        raise ProvisionError(f"There is no bundle at s3://{desk.bucket}/{prefix}.")
    yield from (f"{place}: deleted." for place in gone)


def _prefixes(desk: Desk) -> dict[str, str]:
    """Of the registry, each with its instance."""
    return {entry.bootstrap_prefix: id_ for id_, entry in desk.registry.items()}


def _faults(desk: Desk, s3: Any, id_: str) -> Sequence[str]:
    try:
        return list(bundle.faults(s3, desk.bucket, bundle.build(desk.registry, id_, desk.vault)))
    except ProvisionError as error:
        return error.problems


def _bundles(desk: Desk, instances: Sequence[str]) -> Iterator[tuple[str, Bundle]]:
    """Each instance's as it is built; at the end ProvisionError with all that was wrong."""
    vault = desk.vault  # one that can't be opened is said once
    problems = []
    for id_ in instances:
        try:
            yield id_, bundle.build(desk.registry, id_, vault)
        except ProvisionError as error:
            problems += [f"{id_}: {problem}" for problem in error.problems]
    if problems:
        raise ProvisionError(*problems)


def _size(packed: Packed) -> str:
    return f"{len(packed.archive) / 1024:.0f} KiB sha256:{packed.head.sha256[:12]}"
