"""What the Control API and EC2 show of whether a deploy would work."""

import asyncio
from collections.abc import Callable, Iterable, Iterator

from botocore.exceptions import ClientError

from fleet_control import aws_error, phrases
from fleet_control.api_preflight import api_look
from fleet_control.clock import Clock
from fleet_control.duration import older
from fleet_control.ec2 import Ec2Reader
from fleet_control.error import Ec2Error, RegistryError, RegistryUnread
from fleet_control.fleet import Fleet
from fleet_control.host import Image, Reading
from fleet_control.look import Look, look
from fleet_control.preflight import Check, Point, ok, unseen, wrong
from fleet_control.registry_source import AGAIN_SECONDS, KnownRegistry
from fleet_control.seed import BOOT
from fleet_control.status import LEAVING, FleetStatus, shape

# What EC2 says to a key that AWS does not know, and to a signature that is not that key's.
_NO_KEY = (
    *("AuthFailure", "InvalidClientTokenId", "SignatureDoesNotMatch"),
    "UnrecognizedClientException",
)
_MEND = "Mend `nix/instances.json` on the branch, and merge that."


async def preflight(
    fleet: Fleet, clock: Clock, more: Iterable[Look] = (), speaks_as: str = ""
) -> tuple[Check, ...]:
    """A check of every point, in their order, within ten seconds whatever hangs.

    `more` are looks of the asker's own; `speaks_as` is who the asker should be to the Control API,
    as in `chat:clawbot` or `agent:claw-1`.
    """
    return await look((*looks(fleet, clock, speaks_as), *more), clock)


def looks(fleet: Fleet, clock: Clock, speaks_as: str = "") -> tuple[Look, ...]:
    """What can be seen with the keys of whoever asks."""
    return (*api_looks(fleet, speaks_as), ec2_look(fleet.ec2, lambda: fleet.registry.last, clock))


def api_looks(fleet: Fleet, speaks_as: str) -> tuple[Look, ...]:
    """What the Control API shows, and the branch beside what EC2 does."""
    return (
        api_look(fleet.api, speaks_as),
        Look((Point.REGISTRY,), lambda: _registry(fleet)),
        Look((Point.BRANCH,), lambda: _branch(fleet)),
    )


def ec2_look(ec2: Ec2Reader, last: Callable[[], KnownRegistry | None], clock: Clock) -> Look:
    """`last` gives what is known of the registry by then, if anything."""

    async def see() -> Iterable[Check]:
        try:
            reading = await ec2.read_anew()
        except Ec2Error as error:
            return [_unread(error)]
        return [_hosts(reading, last()), _image(reading, clock.now())]

    points = (Point.HOSTS, Point.IMAGE, Point.SIGNATURE, Point.CLOCK)
    return Look(points, see, blamed=Point.HOSTS)


async def _registry(fleet: Fleet) -> Iterable[Check]:
    try:
        known = await fleet.registry.get(AGAIN_SECONDS)
        invalid, trouble = known.problems, known.trouble
    except RegistryUnread as error:
        invalid, trouble = error.invalid, str(error)
    if invalid:
        return [wrong(Point.REGISTRY, f"It is not valid: {'; '.join(invalid)}.", _MEND)]
    if trouble:
        return [unseen(Point.REGISTRY, trouble, "Mend what keeps the Control API from it.")]
    count = len(known.registry.ids)
    return [ok(Point.REGISTRY, f"It has {count} instance{'s' if count != 1 else ''}.")]


def _unread(error: Ec2Error) -> Check:
    cause = error.__cause__
    if isinstance(cause, ClientError):
        if aws_error.refused_for_time(cause):
            return wrong(Point.CLOCK, str(error), "Set this machine's clock, then look again.")
        if aws_error.name(cause) in _NO_KEY:
            return wrong(Point.SIGNATURE, str(error), "Give this program the key that AWS knows.")
    return wrong(Point.HOSTS, str(error), "Mend what it names; hosts go on as they are.")


def _hosts(reading: Reading, known: KnownRegistry | None) -> Check:
    """That some host is not well is what a deploy is for, and no fault of what it needs."""
    there = f"EC2 shows {sum(one.state not in LEAVING for one in reading.hosts)}"
    if known is None or not known.is_read:
        return ok(Point.HOSTS, f"{there}.")
    found = ", ".join(phrases.problems(shape(known, reading)))
    return ok(Point.HOSTS, f"{there}{found and f': {found}'}.")


def _image(reading: Reading, now: float) -> Check:
    newest = next(iter(reading.images), None)
    build = "Start the workflow `image-build` for a new image."
    if newest is None:
        told = "There is no available image of ours tagged `clawdinator=true`."
        return wrong(Point.IMAGE, told, build)
    if newest.boot != BOOT:
        other = f"of {newest.boot}" if newest.boot else "of an earlier version"
        told = f"`{newest.id}` speaks the contract of boot {other}, and not of {BOOT}."
        return wrong(Point.IMAGE, told, build)
    return ok(Point.IMAGE, f"`{newest.id}`, {older(now - newest.created)} old.")


async def _branch(fleet: Fleet) -> Iterable[Check]:
    """For information: a deploy brings what the branch is ahead by."""
    try:
        known, reading = await asyncio.gather(fleet.registry.get(), fleet.ec2.read())
    except (RegistryError, Ec2Error):
        return ()
    status = shape(known, reading)
    if status.newest_revision is None:
        return [unseen(Point.BRANCH, "Its revisions can't be seen.", "Look again in a minute.")]
    return [ok(Point.BRANCH, " ".join(_ahead(status)))]


def _ahead(status: FleetStatus) -> Iterator[str]:
    newest = [one.commit for one in status.revisions]
    yield f"Its newest revision is `{newest[0][: phrases.SHORT]}`."
    if (image := status.newest) and (behind := _behind(image, newest)):
        yield f"The newest image is {behind}: hosts build what it does not hold."
    hosts = [status.ahead(row) for row in status.rows if row.instance and row.host]
    if late := sum(ahead != 0 for ahead in hosts):
        yield f"{late} of {len(hosts)} hosts are of another."


def _behind(image: Image, newest: list[str]) -> str:
    if image.commit not in newest:
        return "of none of the newest"
    count = newest.index(image.commit)
    return f"{count} behind" if count else ""
