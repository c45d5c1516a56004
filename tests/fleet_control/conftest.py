"""The outside world on loopback: moto, an EC2 and a Control API that do what they are told to."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fleet_control import ec2
from fleet_control.control_api import ControlApi
from sandbox.image import images
from sandbox.moto import MotoServer
from tests.fleet_control import aws, lambdas
from tests.fleet_control.aws import FakeEc2
from tests.fleet_control.fleets import NOW
from tests.fleet_control.hasty_clock import HastyClock
from tests.fleet_control.lambdas import ACCESS_KEY, REGION, SECRET_KEY, TOKEN, Lambda
from tests.fleet_control.on_host import OnHost

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client


@pytest.fixture(scope="session")
def moto_url(python: Path) -> Iterator[str]:
    server = MotoServer(images(NOW), python=python)
    try:
        yield asyncio.run(server.start())
    finally:
        asyncio.run(server.stop())


@pytest.fixture(scope="session")
def served_ec2() -> Iterator[FakeEc2]:
    with aws.serving() as served:
        yield served


@pytest.fixture(scope="session")
def ec2_client(served_ec2: FakeEc2) -> "Iterator[EC2Client]":
    made = ec2.client(REGION, ACCESS_KEY, SECRET_KEY, served_ec2.url)
    yield made
    made.close()


@pytest.fixture
def cloud(served_ec2: FakeEc2) -> FakeEc2:
    """An EC2 with nothing in it."""
    served_ec2.forget()
    return served_ec2


@pytest.fixture
def three_hosts(cloud: FakeEc2) -> FakeEc2:
    """Three healthy hosts, claw-1 to claw-3."""
    cloud.scripts["DescribeInstances"] = [aws.instances("i-1", "i-2", "i-3")]
    cloud.scripts["DescribeInstanceStatus"] = [aws.checks("ok", "ok", "i-1", "i-2", "i-3")]
    return cloud


@pytest.fixture
async def control() -> AsyncIterator[Lambda]:
    async with lambdas.serving() as served:
        yield served


@pytest.fixture
def clock() -> HastyClock:
    return HastyClock(NOW)


@pytest.fixture
async def api(control: Lambda, clock: HastyClock) -> AsyncIterator[ControlApi]:
    async with lambdas.client(control.url, clock) as made:
        yield made


@pytest.fixture
async def hasty(control: Lambda, clock: HastyClock) -> AsyncIterator[ControlApi]:
    """One whose deadline a test can wait for: it is aiohttp's own to keep."""
    async with lambdas.client(control.url, clock, deadline=0.7) as made:
        yield made


@pytest.fixture
def host(
    three_hosts: FakeEc2, control: Lambda, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> OnHost:
    environ = {
        "FLEET_CONTROL_ROOT": str(tmp_path),
        "FLEET_CONTROL_INSTANCE": "claw-1",
        "FLEET_CONTROL_API_URL": control.url,
        "FLEET_CONTROL_REGION": REGION,
        "FLEET_CONTROL_TOKEN": TOKEN,
        "FLEET_CONTROL_AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "FLEET_CONTROL_AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "FLEET_CONTROL_EC2_URL": three_hosts.url,
    }
    return OnHost(environ, capsys)
