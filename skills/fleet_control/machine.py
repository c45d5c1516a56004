"""Machines and their status checks, as EC2 describes them: all of the fleet's, or some by id."""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from fleet_control import aws_error, host_answer
from fleet_control.error import Ec2Error
from fleet_control.host import Checks, Health, HostState

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import (
        InstanceStatusEventTypeDef,
        InstanceStatusTypeDef,
        InstanceTypeDef,
    )

# EC2 takes no more of them at once.
_STATUS_IDS = 100
_MISSING = "InvalidInstanceID.NotFound"
# What EC2 has planned for a machine that does not come back from it by itself. From a reboot, or a
# maintenance of its hardware, it comes back as what it was.
_ENDS = {"instance-retirement": "retires", "instance-stop": "stops"}
# So EC2 goes on telling, for a week, of what is not ahead of anybody any more.
_OVER = ("[Completed]", "[Canceled]")
# As in `User initiated (2026-11-24 10:00:00 GMT)`.
_WHEN = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)")


@dataclass(frozen=True, slots=True)
class Machine:
    """A host before its health is known.

    Attributes:
        answer: the tag that keeps its own last one, whatever it holds.
    """

    id: str
    name: str
    state: HostState
    type: str
    image: str
    launched: float
    address: str
    profile: str
    ending: float | None
    revision: str
    answer: str


def describe_machines(ec2: "EC2Client") -> tuple[Machine, ...]:
    """Every machine tagged ``app=clawdinator``, in whatever state EC2 still shows."""
    with ec2_errors("DescribeInstances"):
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


def find_machines(ec2: "EC2Client", ids: Collection[str]) -> dict[str, Machine | None]:
    """These machines, asked for by their ids; None where EC2 says that there is no such.

    One that is not in the answer EC2 neither shows nor denies: nothing is known of it.
    """
    if not ids:
        return {}
    with ec2_errors("DescribeInstances"):
        try:
            answer = ec2.describe_instances(InstanceIds=sorted(ids))
        except ClientError as error:
            if error_code(error) != _MISSING:
                raise
            if len(ids) == 1:
                return dict.fromkeys(ids)
        else:
            raws = (raw for one in answer["Reservations"] for raw in one["Instances"])
            return {raw["InstanceId"]: _machine(raw) for raw in raws}
    # One that is gone hides the others.
    return {id_: one for each in ids for id_, one in find_machines(ec2, [each]).items()}


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
        revision=tags.get("revision", ""),
        answer=tags.get(host_answer.TAG, ""),
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


def describe_health(ec2: "EC2Client") -> dict[str, Checks]:
    """The health of every running machine of the account and region, by machine id.

    EC2 leaves out what does not run, and knows no tag filter here.
    """
    with ec2_errors("DescribeInstanceStatus"):
        pages = ec2.get_paginator("describe_instance_status").paginate(
            PaginationConfig={"PageSize": 1000}
        )
        return {
            raw["InstanceId"]: _checks(raw) for page in pages for raw in page["InstanceStatuses"]
        }


def find_health(ec2: "EC2Client", ids: Sequence[str]) -> dict[str, Checks]:
    """The health of these machines, asked for by their ids; of those that have any."""
    found: dict[str, Checks] = {}
    with ec2_errors("DescribeInstanceStatus"):
        for first in range(0, len(ids), _STATUS_IDS):
            try:
                answer = ec2.describe_instance_status(InstanceIds=ids[first : first + _STATUS_IDS])
            except ClientError as error:
                if error_code(error) != _MISSING:
                    raise  # one ended in between: who waits for the others looks again
            else:
                found |= {raw["InstanceId"]: _checks(raw) for raw in answer["InstanceStatuses"]}
    return found


def error_code(error: ClientError) -> str:
    """AWS's word for what is wrong."""
    return error.response.get("Error", {}).get("Code", "an unknown error")


def _checks(raw: "InstanceStatusTypeDef") -> Checks:
    own = {raw["SystemStatus"]["Status"], raw["InstanceStatus"]["Status"]}
    # Of a machine whose disks EC2 does not check, it says nothing or that there is nothing to say.
    disks = raw.get("AttachedEbsStatus", {}).get("Status", "not-applicable")
    words = own | ({disks} - {"not-applicable"})
    if "impaired" in own:
        return Checks(Health.IMPAIRED)
    if disks == "impaired":
        return Checks(Health.IMPAIRED, "fails EC2's check of its disks")
    if ends := next(filter(None, map(_end, raw.get("Events", []))), ""):
        return Checks(Health.ENDING, ends)
    if "initializing" in words:
        return Checks(Health.INITIALIZING)
    return Checks(Health.OK if words == {"ok"} else Health.UNKNOWN)


def _end(event: "InstanceStatusEventTypeDef") -> str:
    """That the machine will be gone by this event, or nothing."""
    does = _ENDS.get(event.get("Code", ""))
    if does is None or event.get("Description", "").startswith(_OVER):
        return ""
    when = event.get("NotBefore")
    return f"EC2 {does} it {f'{when.astimezone(UTC):on %Y-%m-%d at %H:%M UTC}' if when else 'soon'}"


@contextmanager
def ec2_errors(action: str) -> Iterator[None]:
    """Whatever the SDK raises becomes an Ec2Error with a sentence; no key is in it."""
    try:
        yield
    except ClientError as error:
        why = aws_error.refused_for_time(error) or _words(error_code(error))
        raise Ec2Error(f"EC2 refused {action}: {why}") from error
    except BotoCoreError as error:
        why = f"EC2 did not answer {action} ({type(error).__name__})."
        raise Ec2Error(aws_error.words(error, why)) from error
    except (ResponseParserError, KeyError, ValueError) as error:
        raise Ec2Error(f"EC2's answer to {action} can't be read.") from error


def _words(code: str) -> str:
    if code in ("RequestLimitExceeded", "Throttling", "ThrottlingException"):
        return f"too many requests ({code}). Try again in a minute."
    if code in ("UnauthorizedOperation", "AccessDenied", "AuthFailure", "InvalidClientTokenId"):
        return f"the key may not ({code}). Check the control AWS access key."
    return f"{code}."
