"""Checks, before any host is destroyed, that the hosts of a revision would boot with their secrets.

OpenTofu's files are the branch's newest, and so is the entry that user data is made from; what the
host then becomes is said by the entry in its seed, which may ask for no secret that the newest does
not: such a one may be another's by now, whatever an old bundle holds.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from fleet_control import manifest, seed_check
from fleet_control.caller import ALL
from fleet_control.error import ManifestError
from fleet_control.machine import error_code
from fleet_control.manifest import Manifest
from fleet_control.registry import Instance, Registry, parse
from workflows.fleet_deploy.revision import SHORT
from workflows.fleet_deploy.roll import HostTurn
from workflows.fleet_deploy.seed_upload import DENIED, Seed, s3_errors
from workflows.fleet_deploy.stopped import Stopped

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

# By which a host of a revision says how it is.
ANSWERS = "clawbot/provision/health.py"
# Of no more bytes is a manifest; what is larger is none of ours.
_LARGEST = 1 << 20
_ABSENT = ("NoSuchKey", "404")

# A bundle's manifest by the bundle's prefix, or why there is none.
Manifests = Callable[[str], Manifest | str]


def bootable(
    target: str,
    turns: Sequence[HostTurn],
    seeds: Mapping[str, Seed],
    now: Registry,
    manifests: Manifests,
) -> tuple[tuple[HostTurn, ...], tuple[str, ...]]:
    """The turns whose hosts would boot as they should; and why each other one is left out.

    `seeds` are by their commits; `now` is the branch's registry. Stopped where it is of one that
    was asked for.
    """
    kept: list[HostTurn] = []
    left_out: list[str] = []
    for turn in turns:
        why = next(_faults(turn.id, seeds[turn.revision], now[turn.id], manifests), "")
        if not why:
            kept.append(turn)
        elif target in (ALL, turn.id):
            raise Stopped("Would not boot", why)
        else:
            left_out.append(why)
    return tuple(kept), tuple(left_out)


def _faults(id_: str, seed: Seed, now: Instance, manifests: Manifests) -> Iterator[str]:
    at = f"at revision {seed.commit[:SHORT]}"
    instead = "Name a commit or an image since then, or none"
    unmade = seed_check.faults(seed.files, seed.commit, id_)
    if unmade:
        yield f"{id_} would not boot {at}: {unmade[0]} {instead}."
        return
    then = parse(seed.files[seed_check.REGISTRY].data)[id_]
    if then.host != now.host:
        yield (
            f"{id_} would boot as somebody else: {at} its host was {then.host}, and it is "
            f"{now.host} now. {instead}."
        )
    if then.bootstrap_prefix != now.bootstrap_prefix:
        yield (
            f"{id_} would look for its secrets in {now.bootstrap_prefix}, and {at} they were in "
            f"{then.bootstrap_prefix}. {instead}."
        )
    # By what is left, what a machine of that revision holds is no more than the branch's entry
    # names: `identity_conflict` counts on it, and one bundle serves both.
    if gone := [name for name in manifest.needed(then) if name not in manifest.needed(now)]:
        yield (
            f"{id_} would look for {', '.join(gone)}, which {at} its entry named and now does not. "
            f"{instead}."
        )
    if ANSWERS not in seed.files:
        yield (
            f"{id_} could not say how it is, so no deploy of it would succeed: {at} no host could "
            f"({ANSWERS}). {instead}, or go back by a revert on the branch."
        )
    there = manifests(now.bootstrap_prefix)
    if isinstance(there, str):
        yield f"{id_} has no bundle: {there} Upload it with `clawbot bundle upload {id_}`."
    else:
        yield from manifest.lacks(now, there, id_)


def manifests_in(s3: "S3Client", bucket: str) -> Manifests:
    """Reads manifests from that bucket; Stopped where S3 does not tell."""

    def read(prefix: str) -> Manifest | str:
        key = f"{prefix}/{manifest.NAME}"
        place = f"s3://{bucket}/{key}"
        with s3_errors(place):
            try:
                there = s3.get_object(Bucket=bucket, Key=key)
                return manifest.read(there["Body"].read(_LARGEST))
            except ManifestError as error:
                return f"{place}: {error}"
            except ClientError as error:
                if error_code(error) in _ABSENT:
                    return f"{place} is not there."
                # So S3 says of what is not there, too, to whom may not list the bucket.
                if error_code(error) in DENIED:
                    return f"{place} is not there, or tofu/control is not applied as it is now."
                raise

    return read
