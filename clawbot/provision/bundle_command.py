"""`clawbot bundle`: build, upload, check, forget."""

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

from clawbot.provision import bundle, bundle_object, checkout
from clawbot.provision.bundle_object import REPOSITORY, SECRETS, Packed, Place
from clawbot.provision.desk import Desk
from clawbot.provision.fault import ProvisionError


def add_to(commands: Any) -> None:
    for name, act, what in (
        ("build", _build, "build in memory only: would it hold, and what would it be"),
        ("upload", _upload, "build, upload, and ask S3 what is there"),
        ("check", _check, "what is in S3, and what of it is stale"),
    ):
        parser = commands.add_parser(name, help=what, description=what)
        parser.add_argument("instance", help="an instance, or all")
        parser.set_defaults(act=act)
    what = "delete the bundle of an instance that left the registry, old versions too"
    forget = commands.add_parser("forget", help=what, description=what)
    forget.add_argument("prefix", help="as in bootstrap/clawdinator-3")
    forget.set_defaults(act=_forget)


def _build(desk: Desk, asked: argparse.Namespace) -> Iterator[str]:
    instances = desk.instances(asked.instance)
    for id_, packed in _secrets(desk, instances):
        yield f"{id_}: {SECRETS} {_size(packed)}"
    yield f"{REPOSITORY} {_size(_repository(desk))}, for each"


def _upload(desk: Desk, asked: argparse.Namespace) -> Iterator[str]:
    instances = desk.instances(asked.instance)
    # Everything is built before anything is sent: half a fleet's bundles help nobody.
    secrets, repository = dict(_secrets(desk, instances)), _repository(desk)
    with desk.s3() as s3:
        for number, id_ in enumerate(instances, start=1):
            prefix = desk.registry[id_].bootstrap_prefix
            bundle_object.put(s3, Place(desk.bucket, f"{prefix}/{REPOSITORY}"), repository)
            bundle_object.put(s3, Place(desk.bucket, f"{prefix}/{SECRETS}"), secrets[id_])
            yield (
                f"[{number}/{len(instances)}] s3://{desk.bucket}/{prefix}: {SECRETS} "
                f"{_size(secrets[id_])}, {REPOSITORY} {_size(repository)}"
            )


def _check(desk: Desk, asked: argparse.Namespace) -> Iterator[str]:
    instances = desk.instances(asked.instance)
    repository = _repository(desk)
    wrong = 0
    with desk.s3() as s3:
        for id_ in instances:
            prefix = desk.registry[id_].bootstrap_prefix
            place = Place(desk.bucket, f"{prefix}/{REPOSITORY}")
            found = [_repository_fault(s3, place, repository, id_), *_secrets_faults(desk, s3, id_)]
            faults = [fault for fault in found if fault]
            wrong += bool(faults)
            yield f"{id_}: {'as it should be' if not faults else ''}".rstrip()
            yield from (f"  {fault}" for fault in faults)
        left = bundle_object.prefixes(s3, desk.bucket) if asked.instance == "all" else ()
    problems = [
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
    places = [Place(desk.bucket, f"{prefix}/{name}") for name in (SECRETS, REPOSITORY)]
    with desk.s3() as s3:
        gone = [place for place in places if bundle_object.delete(s3, place)]
    if not gone:
        raise ProvisionError(f"There is no bundle at s3://{desk.bucket}/{prefix}.")
    yield from (f"{place}: deleted." for place in gone)


def _prefixes(desk: Desk) -> dict[str, str]:
    """Of the registry, each with its instance."""
    return {entry.bootstrap_prefix: id_ for id_, entry in desk.registry.items()}


def _repository_fault(s3: Any, place: Place, wanted: Packed, id_: str) -> str | None:
    fault = bundle.fault(s3, place, wanted)
    if fault and bundle.lacks(s3, place, id_):
        return f"{place} is a repository that does not know {id_}."
    return fault


def _secrets_faults(desk: Desk, s3: Any, id_: str) -> Sequence[str | None]:
    place = Place(desk.bucket, f"{desk.registry[id_].bootstrap_prefix}/{SECRETS}")
    try:
        wanted = bundle.secrets_archive(desk.registry, id_, desk.vault)
    except ProvisionError as error:
        return error.problems
    return [bundle.fault(s3, place, wanted)]


def _secrets(desk: Desk, instances: Sequence[str]) -> Iterator[tuple[str, Packed]]:
    """Each instance's as it is built; at the end ProvisionError with all that was wrong."""
    vault = desk.vault  # one that can't be opened is said once
    problems = []
    for id_ in instances:
        try:
            yield id_, bundle.secrets_archive(desk.registry, id_, vault)
        except ProvisionError as error:
            problems += [f"{id_}: {problem}" for problem in error.problems]
    if problems:
        raise ProvisionError(*problems)


def _repository(desk: Desk) -> Packed:
    return bundle.repository_archive(desk.registry, checkout.files(desk.checkout), desk.vault)


def _size(packed: Packed) -> str:
    return f"{len(packed.archive) / 1024:.0f} KiB sha256:{packed.head.sha256[:12]}"
