"""Reads the fleet's hosts and images from EC2, with three describe calls.

What is known and on no list is asked for by its id: that a list is empty is no fact.
"""

import asyncio
import math
import os
import threading
from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config
from botocore.configprovider import ConstantProvider
from botocore.exceptions import BotoCoreError

from fleet_control import aws_error, host_answer
from fleet_control.clock import Clock
from fleet_control.daemon import in_daemon
from fleet_control.error import Ec2Error
from fleet_control.host import Checks, Health, Host, HostState, Image, Reading
from fleet_control.ledger import seconds
from fleet_control.machine import (
    Machine,
    describe_health,
    describe_machines,
    ec2_errors,
    find_health,
    find_machines,
)
from fleet_control.proxy import proxies
from fleet_control.seed import BOOT_TAG, COMMIT_TAG

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import ImageTypeDef

# A session of botocore's is no place for two threads at once.
_MAKING = threading.Lock()
IMAGES_KEPT_SECONDS = 60.0
READING_KEPT_SECONDS = 2.0
# An image that is not among them may have come meanwhile.
IMAGES_AGAIN_SECONDS = 5.0
_CONFIG = {
    "connect_timeout": 3,
    "read_timeout": 8,
    "retries": {"mode": "standard", "total_max_attempts": 3},
}


def client(
    region: str, access_key: str, secret_key: str, endpoint_url: str | None = None
) -> "EC2Client":
    """An EC2 client with the SDK's standard retries and bounded waits; Ec2Error if none can be."""
    try:
        config = Config(**_CONFIG, proxies=proxies(endpoint_url))  # type: ignore[arg-type]  # a dict of Config's own keywords
        made = keyed_client("ec2", access_key, secret_key, region, endpoint_url, config)
        return cast("EC2Client", made)
    except BotoCoreError as error:
        raise Ec2Error(aws_error.of_settings(error)) from error
    except ValueError as error:
        raise Ec2Error(f"EC2 can't be asked: {error}") from error


def keyed_client(
    service: str,
    access_key: str,
    secret_key: str,
    region: str,
    endpoint_url: str | None,
    config: Config,
) -> Any:
    """A client with these keys: its user's own profile and files mean nothing to it."""
    with _MAKING:
        return _session().create_client(
            service,
            region_name=region,
            endpoint_url=endpoint_url,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=config,
        )


@cache
def _session() -> botocore.session.Session:
    """One for all clients of a process: it holds no key."""
    own = botocore.session.Session()
    own.get_component("config_store").set_config_provider("profile", ConstantProvider(None))
    for file in ("config_file", "credentials_file"):
        own.set_config_variable(file, os.devnull)
    return own


class Ec2Reader:
    """Reads off the event loop, for however many ask at once.

    Whoever asks while a read is under way shares it; a reading serves for two seconds, the list of
    images for a minute. A host that was seen is asked for by its id once no list shows it, and is
    gone only if EC2 says so. Ec2Error says in a sentence why there is no reading.
    """

    def __init__(self, ec2: "EC2Client", clock: Clock) -> None:
        self._ec2 = ec2
        self._clock = clock
        self._reading: Reading | None = None
        self._read_at = 0.0
        self._images: tuple[float, tuple[Image, ...]] | None = None
        self._under_way: asyncio.Task[Reading] | None = None

    async def read(self) -> Reading:
        now = self._clock.monotonic()
        if self._reading and now - self._read_at < READING_KEPT_SECONDS:
            return self._reading
        if self._under_way is None:
            self._under_way = asyncio.create_task(self._read())
            self._under_way.add_done_callback(self._done)
        # Shielded: one asker who leaves must not take the read from the others.
        return await asyncio.shield(self._under_way)

    async def read_anew(self) -> Reading:
        """The same, with images that were listed a few seconds ago at the most."""
        if self._under_way is not None:
            await asyncio.shield(self._under_way)
        if self._images and self._clock.monotonic() - self._images[0] >= IMAGES_AGAIN_SECONDS:
            self._images, self._read_at = None, -math.inf
        return await self.read()

    def _done(self, task: asyncio.Task[Reading]) -> None:
        self._under_way = None
        if not task.cancelled():
            task.exception()  # an asker may have left; its error is not lost on the others

    async def _read(self) -> Reading:
        taken, begun = self._clock.now(), self._clock.monotonic()
        machines, checks, images = await asyncio.gather(
            in_daemon(describe_machines, self._ec2),
            in_daemon(describe_health, self._ec2),
            self._newest_images(begun),
        )
        reading = await in_daemon(
            _completed, self._ec2, self._known, machines, checks, images, taken
        )
        if reading.unsure:
            first, *more = reading.unsure
            others = f" and {len(more)} more" if more else ""
            raise Ec2Error(
                f"EC2 does not list {first}{others} any longer, and does not say that it is gone. "
                "Look again in a minute."
            )
        self._reading, self._read_at = reading, begun
        return reading

    @property
    def _known(self) -> set[str]:
        """The machines that are there as far as anybody knows."""
        hosts = self._reading.hosts if self._reading else ()
        return {host.id for host in hosts if host.state is not HostState.TERMINATED}

    async def _newest_images(self, now: float) -> tuple[Image, ...]:
        if self._images and now - self._images[0] < IMAGES_KEPT_SECONDS:
            return self._images[1]
        images = await in_daemon(describe_images, self._ec2)
        self._images = (now, images)
        return images


def read(ec2: "EC2Client", now: float, known: Collection[str] = ()) -> Reading:
    """One whole look, one call after the other; for programs with no event loop.

    `known` are ids of machines that are there as far as anybody knows.
    """
    machines, checks = describe_machines(ec2), describe_health(ec2)
    return _completed(ec2, known, machines, checks, describe_images(ec2), now)


def _completed(
    ec2: "EC2Client",
    known: Collection[str],
    machines: tuple[Machine, ...],
    checks: dict[str, Checks],
    images: tuple[Image, ...],
    now: float,
) -> Reading:
    """The lists, and what they leave out of what should be on them, asked for by id.

    A list may be empty for a while though nothing is gone.
    """
    missing = set(known) - {one.id for one in machines}
    asked = find_machines(ec2, missing)
    found = [one for one in asked.values() if one and one.state is not HostState.TERMINATED]
    machines = (*machines, *found)
    unchecked = [
        one.id for one in machines if one.state is HostState.RUNNING and one.id not in checks
    ]
    checks = {**checks, **find_health(ec2, unchecked)}
    return Reading(
        tuple(_host(one, checks.get(one.id), now) for one in machines),
        images,
        now,
        unlisted=tuple(one.id for one in found if one.state is not HostState.SHUTTING_DOWN),
        unsure=tuple(sorted(missing - asked.keys())),
    )


def describe_images(ec2: "EC2Client") -> tuple[Image, ...]:
    """Our available images tagged ``clawdinator=true``, newest first."""
    with ec2_errors("DescribeImages"):
        pages = ec2.get_paginator("describe_images").paginate(
            Owners=["self"],
            Filters=[
                {"Name": "tag:clawdinator", "Values": ["true"]},
                {"Name": "state", "Values": ["available"]},
            ],
            PaginationConfig={"PageSize": 500},
        )
        found = [raw for page in pages for raw in page["Images"]]
    # One without a date can be neither the newest nor an older one.
    images = [_image(raw) for raw in found if raw.get("CreationDate")]
    return tuple(sorted(images, key=lambda image: (image.created, image.id), reverse=True))


def _image(raw: "ImageTypeDef") -> Image:
    tags = {tag["Key"]: tag["Value"] for tag in raw.get("Tags", [])}
    return Image(
        id=raw["ImageId"],
        name=raw.get("Name", ""),
        created=seconds(raw["CreationDate"]),
        commit=tags.get(COMMIT_TAG, ""),
        boot=tags.get(BOOT_TAG, ""),
    )


def _host(machine: Machine, checks: Checks | None, now: float) -> Host:
    # The two reads go side by side: a host that came up between them has no checks yet.
    checks = checks or Checks(Health.INITIALIZING)
    if machine.state is not HostState.RUNNING:
        checks = Checks(Health.UNKNOWN)
    return Host(
        id=machine.id,
        name=machine.name,
        state=machine.state,
        health=checks.health,
        type=machine.type,
        image=machine.image,
        launched=machine.launched,
        address=machine.address,
        profile=machine.profile,
        ending=machine.ending,
        revision=machine.revision,
        answer=host_answer.read(machine.answer, now),
        ill=checks.ill,
    )
