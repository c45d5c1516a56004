"""One read for however many ask, off the event loop, and nothing kept too long."""

import asyncio
from threading import Barrier, Event
from typing import TYPE_CHECKING

import pytest

from fleet_control.ec2 import Ec2Reader
from fleet_control.error import Ec2Error
from tests.clock import HostClock, TurnedClock
from tests.fleet_control import aws
from tests.fleet_control.aws import FakeEc2

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

NOTHING = aws.EMPTY["DescribeInstances"]


async def test_a_hundred_askers_cost_one_read(cloud: FakeEc2, ec2_client: "EC2Client") -> None:
    reader = Ec2Reader(ec2_client, TurnedClock())
    answering = Event()
    cloud.hold = answering.wait
    askers = [asyncio.create_task(reader.read()) for _ in range(100)]
    await asyncio.sleep(0)

    answering.set()
    readings = await asyncio.gather(*askers)

    assert len(set(map(id, readings))) == 1
    assert set(cloud.counts.values()) == {1}


async def test_hosts_and_health_and_images_are_read_side_by_side(
    cloud: FakeEc2, ec2_client: "EC2Client"
) -> None:
    all_three_have_asked = Barrier(3, timeout=5)
    cloud.hold = all_three_have_asked.wait

    assert (await Ec2Reader(ec2_client, TurnedClock()).read()).hosts == ()


async def test_a_reading_serves_for_two_seconds(cloud: FakeEc2, ec2_client: "EC2Client") -> None:
    clock = TurnedClock()
    reader = Ec2Reader(ec2_client, clock)
    first = await reader.read()

    await clock.turn(1.9)
    assert await reader.read() is first
    await clock.turn(0.1)
    assert await reader.read() is not first

    assert cloud.counts["DescribeInstances"] == 2


async def test_images_serve_for_a_minute(cloud: FakeEc2, ec2_client: "EC2Client") -> None:
    clock = TurnedClock()
    reader = Ec2Reader(ec2_client, clock)
    cloud.scripts["DescribeImages"] = [
        aws.image("ami-1", "2026-11-20T08:00:00.000Z"),
        aws.image("ami-2", "2026-11-21T08:00:00.000Z"),
    ]

    found = []
    for seconds in (0, 57, 3):
        await clock.turn(seconds)
        found += [image.id for image in (await reader.read()).images]

    assert found == ["ami-1", "ami-1", "ami-2"]
    assert cloud.counts == {
        "DescribeInstances": 3,
        "DescribeInstanceStatus": 3,
        "DescribeImages": 2,
    }


async def test_a_clock_set_back_keeps_nothing_for_longer(
    cloud: FakeEc2, ec2_client: "EC2Client"
) -> None:
    clock = TurnedClock()
    host = HostClock(clock)
    reader = Ec2Reader(ec2_client, host)
    await reader.read()

    host.off = -3600.0
    await clock.turn(60)
    await reader.read()

    assert set(cloud.counts.values()) == {2}


async def test_an_asker_who_leaves_does_not_take_the_read_along(
    cloud: FakeEc2, ec2_client: "EC2Client"
) -> None:
    reader = Ec2Reader(ec2_client, TurnedClock())
    answering = Event()
    cloud.hold = answering.wait
    leaver, stayer = (asyncio.create_task(reader.read()) for _ in range(2))
    await asyncio.sleep(0)

    leaver.cancel()
    answering.set()

    assert (await stayer).hosts == ()
    assert leaver.cancelled()


async def test_a_failed_read_is_not_kept(cloud: FakeEc2, ec2_client: "EC2Client") -> None:
    reader = Ec2Reader(ec2_client, TurnedClock())
    cloud.scripts["DescribeInstances"] = [
        aws.error(403, "UnauthorizedOperation"),
        aws.instances("i-1"),
    ]
    with pytest.raises(Ec2Error):
        await reader.read()

    assert [host.id for host in (await reader.read()).hosts] == ["i-1"]


async def test_hosts_that_a_list_no_longer_shows_are_not_called_missing(
    cloud: FakeEc2, ec2_client: "EC2Client"
) -> None:
    clock = TurnedClock()
    reader = Ec2Reader(ec2_client, clock)
    cloud.scripts["DescribeInstances"] = [aws.instances("i-1", "i-2"), *[NOTHING] * 2]
    await reader.read()

    await clock.turn(2)
    with pytest.raises(Ec2Error, match="does not list i-1 and 1 more any longer, and does not say"):
        await reader.read()
    cloud.scripts["DescribeInstances"] = [NOTHING, aws.instances("i-1", "i-2")]
    found = await reader.read()

    assert [host.id for host in found.hosts] == ["i-1", "i-2"]


async def test_what_ec2_says_is_gone_is_not_asked_for_again(
    cloud: FakeEc2, ec2_client: "EC2Client"
) -> None:
    clock = TurnedClock()
    reader = Ec2Reader(ec2_client, clock)
    gone = aws.error(400, "InvalidInstanceID.NotFound")
    cloud.scripts["DescribeInstances"] = [aws.instances("i-1"), NOTHING, gone, NOTHING]

    seen = []
    for _ in range(3):
        seen.append(len((await reader.read()).hosts))
        await clock.turn(2)

    assert seen == [1, 0, 0]
    assert cloud.counts["DescribeInstances"] == 4
