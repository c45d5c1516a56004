"""What is: the fleet's hosts and images, read from EC2 with three describes."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from fleet_control.clock import Clock
from fleet_control.error import Ec2Error
from fleet_control.reading import Health, Host, HostState, Image, Reading

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import InstanceStatusTypeDef, InstanceTypeDef

IMAGES_KEPT_SECONDS = 60.0
READING_KEPT_SECONDS = 2.0
# As in `User initiated (2026-11-24 10:00:00 GMT)`.
_WHEN = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)")
_CONFIG = {
    "connect_timeout": 3,
    "read_timeout": 8,
    "retries": {"mode": "standard", "total_max_attempts": 3},
}


def client(
    region: str, access_key: str, secret_key: str, endpoint_url: str | None = None
) -> "EC2Client":
    """An EC2 client with the SDK's standard retries and bounded waits."""
    return boto3.client(
        "ec2",
        region_name=region,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        endpoint_url=endpoint_url,
        config=Config(**_CONFIG),  # type: ignore[arg-type]  # a dict of Config's own keywords
    )


class Ec2Reader:
    """Reads off the event loop, for however many ask at once.

    Whoever asks while a read is under way shares it; a reading serves for two seconds, the list of
    images for a minute. Ec2Error says in a sentence why there is none.
    """

    def __init__(self, ec2: "EC2Client", clock: Clock) -> None:
        self._ec2 = ec2
        self._clock = clock
        self._reading: Reading | None = None
        self._images: tuple[float, tuple[Image, ...]] | None = None
        self._under_way: asyncio.Task[Reading] | None = None

    async def read(self) -> Reading:
        # A clock that was set back must not keep a reading for longer; nor, below, the images.
        if self._reading and 0 <= self._clock.now() - self._reading.taken < READING_KEPT_SECONDS:
            return self._reading
        if self._under_way is None:
            self._under_way = asyncio.create_task(self._read())
            self._under_way.add_done_callback(self._done)
        # Shielded: one asker who leaves must not take the read from the others.
        return await asyncio.shield(self._under_way)

    def _done(self, task: asyncio.Task[Reading]) -> None:
        self._under_way = None
        if not task.cancelled():
            task.exception()  # an asker may have left; its error is not lost on the others

    async def _read(self) -> Reading:
        taken = self._clock.now()
        machines, checks, images = await asyncio.gather(
            asyncio.to_thread(describe_machines, self._ec2),
            asyncio.to_thread(describe_health, self._ec2),
            self._newest_images(taken),
        )
        self._reading = Reading(_hosts(machines, checks), images, taken)
        return self._reading

    async def _newest_images(self, now: float) -> tuple[Image, ...]:
        if self._images and 0 <= now - self._images[0] < IMAGES_KEPT_SECONDS:
            return self._images[1]
        images = await asyncio.to_thread(describe_images, self._ec2)
        self._images = (now, images)
        return images


def read(ec2: "EC2Client", now: float) -> Reading:
    """One whole look, one call after the other; for programs with no event loop."""
    return Reading(_hosts(describe_machines(ec2), describe_health(ec2)), describe_images(ec2), now)


@dataclass(frozen=True, slots=True)
class Machine:
    """A host before its health is known."""

    id: str
    name: str
    state: HostState
    type: str
    image: str
    launched: float
    address: str
    profile: str
    ending: float | None


def describe_machines(ec2: "EC2Client") -> tuple[Machine, ...]:
    """Every machine tagged ``app=clawdinator``, in whatever state EC2 still shows."""
    with _ec2_errors("DescribeInstances"):
        pages = ec2.get_paginator("describe_instances").paginate(
            Filters=[{"Name": "tag:app", "Values": ["clawdinator"]}],
            PaginationConfig={"PageSize": 500},
        )
        return tuple(
            _machine(raw)
            for page in pages
            for reservation in page["Reservations"]
            for raw in reservation["Instances"]
        )


def _machine(raw: "InstanceTypeDef") -> Machine:
    tags = {tag["Key"]: tag["Value"] for tag in raw.get("Tags", [])}
    return Machine(
        id=raw["InstanceId"],
        name=tags.get("Name", ""),
        state=HostState(raw["State"]["Name"]),
        type=raw["InstanceType"],
        image=raw["ImageId"],
        launched=raw["LaunchTime"].timestamp(),
        address=raw.get("PublicIpAddress") or raw.get("PrivateIpAddress") or "",
        profile=raw.get("IamInstanceProfile", {}).get("Arn", ""),
        ending=_ending(raw),
    )


def _ending(raw: "InstanceTypeDef") -> float | None:
    """Since when it is shutting down: EC2 tells in words only, and not for every cause."""
    said = _WHEN.search(raw.get("StateTransitionReason", ""))
    if said is None or HostState(raw["State"]["Name"]) is not HostState.SHUTTING_DOWN:
        return None
    try:
        return datetime.fromisoformat(said[1]).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None  # no such date: no reason to see nothing of the fleet


def describe_health(ec2: "EC2Client") -> dict[str, Health]:
    """The status checks of every running machine of the account and region, by machine id.

    EC2 leaves out what does not run, and knows no tag filter here.
    """
    with _ec2_errors("DescribeInstanceStatus"):
        pages = ec2.get_paginator("describe_instance_status").paginate(
            PaginationConfig={"PageSize": 1000}
        )
        return {
            raw["InstanceId"]: _health(raw) for page in pages for raw in page["InstanceStatuses"]
        }


def _health(raw: "InstanceStatusTypeDef") -> Health:
    words = {raw["SystemStatus"]["Status"], raw["InstanceStatus"]["Status"]}
    if "impaired" in words:
        return Health.IMPAIRED
    if "initializing" in words:
        return Health.INITIALIZING
    return Health.OK if words == {"ok"} else Health.UNKNOWN


def describe_images(ec2: "EC2Client") -> tuple[Image, ...]:
    """Our available images tagged ``clawdinator=true``, newest first."""
    with _ec2_errors("DescribeImages"):
        pages = ec2.get_paginator("describe_images").paginate(
            Owners=["self"],
            Filters=[
                {"Name": "tag:clawdinator", "Values": ["true"]},
                {"Name": "state", "Values": ["available"]},
            ],
            PaginationConfig={"PageSize": 500},
        )
        images = [
            Image(raw["ImageId"], raw.get("Name", ""), _seconds(raw["CreationDate"]))
            for page in pages
            for raw in page["Images"]
        ]
    return tuple(sorted(images, key=lambda image: (image.created, image.id), reverse=True))


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _hosts(machines: tuple[Machine, ...], health: dict[str, Health]) -> tuple[Host, ...]:
    return tuple(
        Host(
            id=one.id,
            name=one.name,
            state=one.state,
            health=_seen(one, health),
            type=one.type,
            image=one.image,
            launched=one.launched,
            address=one.address,
            profile=one.profile,
            ending=one.ending,
        )
        for one in machines
    )


def _seen(machine: Machine, health: dict[str, Health]) -> Health:
    if machine.state is not HostState.RUNNING:
        return Health.UNKNOWN
    # The two reads go side by side: a host that came up between them has no checks yet.
    return health.get(machine.id, Health.INITIALIZING)


@contextmanager
def _ec2_errors(action: str) -> Iterator[None]:
    """Whatever the SDK raises becomes an Ec2Error with a sentence; no key is in it."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "an unknown error")
        raise Ec2Error(f"EC2 refused {action}: {_words(code)}") from error
    except BotoCoreError as error:
        raise Ec2Error(f"EC2 did not answer {action} ({type(error).__name__}).") from error
    except (ResponseParserError, KeyError, ValueError) as error:
        raise Ec2Error(f"EC2's answer to {action} can't be read.") from error


def _words(code: str) -> str:
    if code in ("RequestLimitExceeded", "Throttling", "ThrottlingException"):
        return f"too many requests ({code}). Try again in a minute."
    if code in ("UnauthorizedOperation", "AccessDenied", "AuthFailure", "InvalidClientTokenId"):
        return f"the key may not ({code}). Check the control AWS access key."
    return f"{code}."
