"""A fleet in EC2's XML: the claws, their images and their checks."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.fleet_control.aws import FakeEc2, Scripted

NOW = 1_790_000_000.0
NEWEST, OLDER, OLDEST = "ami-0cccccccccccccccc", "ami-0bbbbbbbbbbbbbbbb", "ami-0aaaaaaaaaaaaaaaa"
AGES = {NEWEST: 2.0, OLDER: 9.0, OLDEST: 30.0}


@dataclass(frozen=True, slots=True)
class Claw:
    """One host of the fleet; `days` since its launch, `answer` the tag of its own last one."""

    name: str
    image: str = NEWEST
    check: str = "ok"
    state: str = "running"
    days: float = 1.0
    answer: str = ""


def stage(ec2: FakeEc2, claws: Sequence[Claw]) -> None:
    """Let EC2 say that these are there, and that any other that it is asked for is not."""
    ec2.there = {_id(claw) for claw in claws}
    ec2.scripts["DescribeInstances"] = [
        _answer("DescribeInstances", "reservationSet", claws, _host)
    ]
    ec2.scripts["DescribeInstanceStatus"] = [
        _answer("DescribeInstanceStatus", "instanceStatusSet", claws, _check)
    ]
    items = "".join(_image(id_, days) for id_, days in AGES.items())
    ec2.scripts["DescribeImages"] = [_response("DescribeImages", f"<imagesSet>{items}</imagesSet>")]


def _answer(
    action: str, collection: str, claws: Sequence[Claw], item: Callable[[Claw], str]
) -> Scripted:
    items = "".join(item(claw) for claw in claws)
    return _response(action, f"<{collection}>{items}</{collection}>")


def _response(action: str, inner: str) -> Scripted:
    return 200, (
        f'<{action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
        f"<requestId>x</requestId>{inner}</{action}Response>"
    )


def _moment(days: float) -> str:
    moment = datetime.fromtimestamp(NOW - days * 86_400, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _id(claw: Claw) -> str:
    return f"i-{zlib.crc32(claw.name.encode()):017x}"


def _host(claw: Claw) -> str:
    return (
        f"<item><instancesSet><item><instanceId>{_id(claw)}</instanceId>"
        f"<imageId>{claw.image}</imageId>"
        f"<instanceState><code>16</code><name>{claw.state}</name></instanceState>"
        f"<instanceType>t3.large</instanceType><launchTime>{_moment(claw.days)}</launchTime>"
        f"<privateIpAddress>10.0.0.7</privateIpAddress>"
        f"<tagSet><item><key>Name</key><value>{claw.name}</value></item>"
        f"<item><key>answer</key><value>{claw.answer}</value></item></tagSet>"
        "</item></instancesSet></item>"
    )


def _check(claw: Claw) -> str:
    if claw.state != "running":
        return ""
    return (
        f"<item><instanceId>{_id(claw)}</instanceId>"
        "<instanceState><name>running</name></instanceState>"
        f"<systemStatus><status>{claw.check}</status></systemStatus>"
        f"<instanceStatus><status>ok</status></instanceStatus></item>"
    )


def _image(id_: str, days: float) -> str:
    return (
        f"<item><imageId>{id_}</imageId><name>clawdinator</name>"
        f"<creationDate>{_moment(days)}</creationDate></item>"
    )
